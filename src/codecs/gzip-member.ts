/** The frame of a gzip member (RFC 1952): what stands before and after its compressed data. */
import { crc32 } from 'node:zlib'
import { hex } from '../core/encoded-input.ts'

/** Flags of a member's header, RFC 1952 section 2.3.1. */
const FHCRC = 0x02
const FEXTRA = 0x04
const FNAME = 0x08
const FCOMMENT = 0x10
const RESERVED = 0xe0

export const MAGIC_1 = 0x1f
export const MAGIC_2 = 0x8b
const DEFLATE = 8
/** CRC-32 and length of the decoded data, both little endian. */
export const TRAILER_BYTES = 8

/** Takes a header byte by byte by `next(byte)`; done after its last one. `fail` makes the error for a damaged header. */
export type HeaderParser = Generator<undefined, void, number>

/** A parser for what follows the two bytes of magic. Names and comments are passed over, of any length. */
export function* parseHeader(fail: (what: string, expected: string, found: string) => Error): HeaderParser {
  let checksum = crc32(Uint8Array.of(MAGIC_1, MAGIC_2))
  const one = new Uint8Array(1)
  const add = (byte: number): number => {
    one[0] = byte
    checksum = crc32(one, checksum)
    return byte
  }

  const method = add(yield)
  if (method !== DEFLATE) throw fail('its compression method is unknown', '8 (deflate)', String(method))
  const flags = add(yield)
  if ((flags & RESERVED) !== 0) throw fail('its flags have reserved bits set', '0 in the upper three', hex(flags))
  for (let i = 0; i < 6; i++) add(yield) // modification time, extra flags, operating system
  if ((flags & FEXTRA) !== 0) {
    const length = add(yield) | (add(yield) << 8)
    for (let i = 0; i < length; i++) add(yield)
  }
  if ((flags & FNAME) !== 0) while (add(yield) !== 0);
  if ((flags & FCOMMENT) !== 0) while (add(yield) !== 0);
  if ((flags & FHCRC) !== 0) {
    const wanted = checksum & 0xffff
    const found = (yield) | ((yield) << 8)
    if (found !== wanted) throw fail('the checksum of its header is wrong', hex(wanted), hex(found))
  }
}

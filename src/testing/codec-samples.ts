/** What the suite of codecs is run over: a codec with another implementation, and bytes. */
import { expect } from 'vitest'
import type { Codec } from '../core/types.ts'
import { ChunkedSource, CollectingSink } from './codec-ports.ts'
import { type Drained, drain, noise, table } from './sample.ts'

/** Another implementation of the same codec. */
export interface CodecReference {
  /** One encoded piece of the bytes. */
  encode(bytes: Uint8Array): Uint8Array
  /** All that an encoded piece holds. */
  decode(bytes: Uint8Array): Uint8Array
}

/** What a codec can do. Tests of a facet run where it is declared. */
export interface CodecFacets {
  /** Whether one encoded piece may follow another. */
  readonly members: boolean
  /** Whether other implementations read one piece after another too. Default: as `members`. */
  readonly appends?: boolean
  /** Whether damage is always seen. Without a checksum only what cannot be decoded is. */
  readonly checksummed: boolean
  /**
   * For a format without an end: where in an encoded piece a cut cannot be seen. The data before it is given then.
   * Default: none.
   */
  readonly unseenCuts?: (encoded: Uint8Array) => readonly number[]
  /**
   * The most decoded bytes that the codec can give for an encoded one, where that is below the default of `maxRatio`.
   */
  readonly highestRatio?: number
  /** Whether `encode` is there. Default true. */
  readonly writes?: boolean
  /** A level that the codec does not have. Default: none. */
  readonly badLevel?: number
  /** Levels to write by. Default: none. */
  readonly levels?: readonly number[]
}

/** A codec to run the suite over. */
export interface CodecSubject {
  readonly name: string
  readonly codec: Codec
  readonly reference: CodecReference
  readonly facets: CodecFacets
}

/** Sizes of the chunks that the suite splits bytes into. */
export const CHUNK_SIZES = [1, 7, 65536]
export const SMALL = table(300)
export const MEDIUM = table(30_000)
export const LARGE = Buffer.concat([table(1_500_000), noise(300_000)])
export const SECOND = Buffer.from('the second')

/** All that the suite has encoded, by name: a codec without another encoder has files of them. */
export const CODEC_SAMPLES: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'one-byte': Buffer.from('x'),
  small: SMALL,
  medium: MEDIUM,
  large: LARGE,
  second: SECOND,
  /** What makes a bomb; more than the 16 MiB from which the ratio counts. */
  zeros: Buffer.alloc(20 * 1024 * 1024),
}

/** What a codec makes of an encoded piece that comes in chunks. */
export function decodeBy(codec: Codec, encoded: Uint8Array, chunkBytes = 65536): Promise<Drained> {
  return drain(() => codec.decode(new ChunkedSource(encoded, chunkBytes), {}).stream())
}

/** What a codec writes for bytes that come in chunks, whose memory is overwritten behind each. */
export async function encodeBy(
  codec: Codec,
  bytes: Uint8Array,
  chunkBytes = 65536,
  level?: number | undefined,
): Promise<Buffer> {
  const inner = new CollectingSink()
  const sink = codec.encode(inner, level === undefined ? {} : { level })
  const chunk = Buffer.alloc(chunkBytes)
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const length = Math.min(chunkBytes, bytes.length - at)
    chunk.set(bytes.subarray(at, at + length))
    await sink.write(chunk.subarray(0, length))
    chunk.fill(0xff) // the memory is ours again
  }
  await sink.close()
  expect(inner.events).toEqual(['close'])
  return inner.bytes()
}

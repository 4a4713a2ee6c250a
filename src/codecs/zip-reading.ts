/**
 * The bytes of one member of a ZIP archive: found by the central directory where the source has ranged reads, and in
 * the order of the archive where it has not. Either way both headers, sizes and checksum must agree.
 */
import { crc32, createInflateRaw } from 'node:zlib'
import { type EncodedInput, hex, hexBytes } from '../core/encoded-input.ts'
import type { ErrorDetails } from '../core/errors.ts'
import type { Abortable, RandomAccess } from '../core/types.ts'
import { decodeByZlib, MAX_DECODED_CHUNK_BYTES, stageOptions } from '../core/zlib-stage.ts'
import { ambiguous, chooseMember, memberFilter } from './zip-choice.ts'
import { readDirectory } from './zip-directory.ts'
import {
  DEFLATED,
  DESCRIPTOR,
  DIRECTORY_ENTRY,
  DIRECTORY_ENTRY_BYTES,
  ENCRYPTED,
  END,
  END_64,
  END_64_LOCATOR,
  END_64_LOCATOR_BYTES,
  END_BYTES,
  LOCAL_HEADER,
  LOCAL_HEADER_BYTES,
  MAX_32,
  type MemberRecord,
  parseDirectoryEntry,
  parseEnd,
  parseLocalHeader,
  STORED,
  UNREADABLE,
  WITH_DESCRIPTOR,
} from './zip-records.ts'

const RANGE_BYTES = 256 * 1024

type Bytes = AsyncGenerator<Uint8Array, void, undefined>

/** By the central directory. */
export async function* readByDirectory(input: EncodedInput, random: RandomAccess, wanted: string | undefined): Bytes {
  const signal = { signal: input.signal }
  const entries = await readDirectory(random, input.label, signal)
  const entry = chooseMember(entries, wanted, input.label)
  const next = Math.min(...entries.map(other => other.offset).filter(offset => offset > entry.offset))
  const end = Number.isFinite(next) ? next : await random.size(signal)
  await input.redirect(ranges(random, entry.offset, end, signal))
  if ((await word(input)) !== LOCAL_HEADER) {
    throw corrupt(input, `there is no member ${JSON.stringify(entry.name)} where its directory says`)
  }
  const local = await readLocalHeader(input)
  compare(input, local, entry, (local.flags & WITH_DESCRIPTOR) === 0)
  yield* readMember(input, local, entry)
}

async function* ranges(random: RandomAccess, start: number, end: number, options: Abortable): Bytes {
  for (let at = start; at < end; at += RANGE_BYTES) {
    const [bytes] = await random.readRanges([{ start: at, end: Math.min(at + RANGE_BYTES, end) }], options)
    yield bytes!
  }
}

/** In the order of the archive. The directory, which comes last, is compared with what was met. */
export async function* readInOrder(input: EncodedInput, wanted: string | undefined): Bytes {
  const meant = memberFilter(wanted)
  const members: MemberRecord[] = []
  let chosen: MemberRecord | undefined
  for (;;) {
    const signature = await firstWord(input, members.length === 0)
    if (signature !== LOCAL_HEADER) {
      await readEnd(input, signature, members)
      if (chosen === undefined) chooseMember(members, wanted, input.label)
      return
    }
    const header = await readLocalHeader(input)
    if (!meant(header.name)) {
      members.push(await skipMember(input, header))
      continue
    }
    if (chosen !== undefined) throw ambiguous([chosen, header], wanted, input.label)
    chosen = header
    const said = (header.flags & WITH_DESCRIPTOR) === 0 ? header : undefined
    const found = yield* readMember(input, header, said)
    members.push({ ...header, ...found })
  }
}

/** The name of the first file, as its local header has it; undefined where there is none. */
export async function firstName(input: EncodedInput, wanted: string | undefined): Promise<string | undefined> {
  const meant = memberFilter(wanted)
  while ((await word(input)) === LOCAL_HEADER) {
    const header = await readLocalHeader(input)
    if (meant(header.name)) return header.name
    await skipMember(input, header)
  }
  return undefined
}

interface Found {
  readonly crc: number
  readonly bytes: number
  readonly encodedBytes: number
}

/**
 * The data of a member, whose local header was read. `said` has sizes and checksum, where they are known beforehand;
 * what stands in a data descriptor is compared in any case.
 */
async function* readMember(
  input: EncodedInput,
  member: MemberRecord,
  said: Found | undefined,
): AsyncGenerator<Uint8Array, Found, undefined> {
  checkReadable(input, member)
  const start = input.offset
  let crc = 0
  let bytes = 0
  for await (const chunk of member.method === STORED ? stored(input, member, said) : inflated(input, member, said)) {
    crc = crc32(chunk, crc)
    bytes += chunk.length
    if (said !== undefined && bytes > said.bytes) throw wrong(input, member, 'size', said.bytes, `more than that`)
    yield chunk
  }
  const found = { crc, bytes, encodedBytes: input.offset - start }
  if (said !== undefined) checkFound(input, member, said, found)
  if ((member.flags & WITH_DESCRIPTOR) !== 0) await readDescriptor(input, member, found)
  return found
}

async function* stored(input: EncodedInput, member: MemberRecord, said: Found | undefined): Bytes {
  if (said === undefined) {
    throw input.error(
      'CODEC_UNSUPPORTED',
      `where member ${JSON.stringify(member.name)} ends cannot be seen in a stream`,
      {
        found: 'a member that is stored without compression and without its size',
        hint: 'save the archive to a file and read that',
      },
    )
  }
  if (said.encodedBytes !== said.bytes) throw wrong(input, member, 'size', said.bytes, String(said.encodedBytes))
  for (let left = said.bytes; left > 0; ) {
    if (!(await input.more())) throw truncated(input)
    const chunk = input.rest.subarray(0, Math.min(left, RANGE_BYTES))
    left -= chunk.length
    yield chunk
    input.advance(chunk.length)
  }
}

async function* inflated(input: EncodedInput, member: MemberRecord, said: Found | undefined): Bytes {
  const size = said?.bytes ?? MAX_DECODED_CHUNK_BYTES
  const stream = createInflateRaw(stageOptions(Math.min(Math.max(size, 1024), MAX_DECODED_CHUNK_BYTES)))
  let left = said?.encodedBytes ?? Number.POSITIVE_INFINITY
  yield* decodeByZlib(input, stream, {
    // Where the size is said, the data has to end there and not where it likes.
    meant: rest => {
      const count = Math.min(rest.length, left)
      left -= count
      return count
    },
    damaged: cause => {
      if ((cause as { code?: unknown }).code === 'Z_BUF_ERROR' && left > 0) return truncated(input)
      return corrupt(input, `member ${JSON.stringify(member.name)} is damaged after compressed byte ${input.offset}`, {
        expected: 'deflate data',
        found: cause instanceof Error ? cause.message : String(cause),
        hint: 'fetch or copy the file again',
        cause,
      })
    },
  })
}

/** Passes over a member; gives what is known of it then. */
async function skipMember(input: EncodedInput, member: MemberRecord): Promise<MemberRecord> {
  if ((member.flags & WITH_DESCRIPTOR) === 0) {
    if (!(await input.skip(member.encodedBytes))) throw truncated(input)
    return member
  }
  // A folder has no data, though it may say that its size follows.
  const reading = readMember(
    input,
    member,
    member.name.endsWith('/') ? { crc: 0, bytes: 0, encodedBytes: 0 } : undefined,
  )
  for (;;) {
    const step = await reading.next()
    if (step.done === true) return { ...member, ...step.value }
  }
}

/** A data descriptor, which may have a signature, and 64-bit sizes. */
async function readDescriptor(input: EncodedInput, member: MemberRecord, found: Found): Promise<void> {
  const large = member.zip64 || found.bytes > MAX_32 || found.encodedBytes > MAX_32
  const first = await word(input)
  const crc = first === DESCRIPTOR ? await word(input) : first
  const sizes = await take(input, large ? 16 : 8)
  const read = (i: number) => (large ? Number(sizes.readBigUInt64LE(i * 8)) : sizes.readUInt32LE(i * 4))
  checkFound(input, member, { crc, encodedBytes: read(0), bytes: read(1) }, found)
}

function checkFound(input: EncodedInput, member: MemberRecord, said: Found, found: Found): void {
  if (said.bytes !== found.bytes) throw wrong(input, member, 'size', said.bytes, String(found.bytes))
  if (said.encodedBytes !== found.encodedBytes) {
    throw wrong(input, member, 'compressed size', said.encodedBytes, String(found.encodedBytes))
  }
  if (said.crc !== found.crc) throw wrong(input, member, 'checksum', hex(said.crc), hex(found.crc))
}

function wrong(input: EncodedInput, { name }: MemberRecord, what: string, said: string | number, found: string): Error {
  return corrupt(input, `the ${what} of member ${JSON.stringify(name)} is wrong`, {
    expected: `${said}, which the archive says`,
    found: `${found}, of the data decoded`,
    hint: 'the rows already read may be wrong too: fetch or copy the file again',
  })
}

function checkReadable(input: EncodedInput, { name, flags, method }: MemberRecord): void {
  const unsupported = (found: string, hint: string): Error =>
    input.error('CODEC_UNSUPPORTED', `member ${JSON.stringify(name)} cannot be read: it is ${found}`, { found, hint })
  if ((flags & ENCRYPTED) !== 0) throw unsupported('encrypted', 'extract it with its password, and read the file')
  if ((flags & UNREADABLE) !== 0) throw unsupported('patched or encrypted', 'extract it, and read the file')
  if (method !== STORED && method !== DEFLATED) {
    throw unsupported(`compressed by method ${method}`, 'pack it again by deflate, which is the default of zip')
  }
}

/** Holds a member against the entry of the directory. */
function compare(input: EncodedInput, met: MemberRecord, entry: MemberRecord, withSizes: boolean): void {
  const fields = ['name', 'method', ...(withSizes ? (['crc', 'bytes', 'encodedBytes'] as const) : [])] as const
  const field = fields.find(name => met[name] !== entry[name])
  if (field === undefined && ((met.flags ^ entry.flags) & UNREADABLE) === 0) return
  throw corrupt(
    input,
    `member ${JSON.stringify(entry.name)} and the directory do not agree about its ${field ?? 'flags'}`,
    {
      expected: `${entry[field ?? 'flags']}, as the directory says`,
      found: `${met[field ?? 'flags']}, as the member says`,
    },
  )
}

/** The directory and its end, of which the first word was read; nothing may follow. */
async function readEnd(input: EncodedInput, first: number, members: readonly MemberRecord[]): Promise<void> {
  let signature = first
  let count = 0
  for (; signature === DIRECTORY_ENTRY; signature = await word(input)) {
    const fixed = await take(input, DIRECTORY_ENTRY_BYTES - 4)
    const name = await take(input, fixed.readUInt16LE(24))
    const extra = await take(input, fixed.readUInt16LE(26))
    await take(input, fixed.readUInt16LE(28))
    const entry = parseDirectoryEntry(fixed, name, extra)
    const met = members[count++]
    if (met === undefined)
      throw corrupt(input, `its directory lists ${JSON.stringify(entry.name)}, which it does not have`)
    compare(input, met, entry, true)
  }
  if (signature === END_64) {
    const length = Number((await take(input, 8)).readBigUInt64LE(0))
    if (!(await input.skip(length))) throw truncated(input)
    signature = await word(input)
    if (signature === END_64_LOCATOR) {
      await take(input, END_64_LOCATOR_BYTES - 4)
      signature = await word(input)
    }
  }
  if (signature !== END) {
    throw corrupt(input, 'something stands between its members that is none', {
      expected: 'a member, the directory or its end',
      found: hexBytes(wordBytes(signature)),
    })
  }
  const end = parseEnd(await take(input, END_BYTES - 4))
  if (!(await input.skip(end.commentBytes))) throw truncated(input)
  if (count !== members.length || (!end.needs64 && end.entries !== count)) {
    throw corrupt(input, 'its directory lists another number of members than it has', {
      expected: String(members.length),
      found: String(end.needs64 ? count : end.entries),
    })
  }
  if (!(await input.more())) return
  throw input.error('CODEC_TRAILING_DATA', `other data follows the ZIP archive, at byte ${input.offset}`, {
    expected: 'the end of the input',
    found: hexBytes(input.rest.subarray(0, 4)),
    hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
  })
}

/** The word between two members. At the very beginning, anything else than a ZIP archive is told apart. */
async function firstWord(input: EncodedInput, atStart: boolean): Promise<number> {
  if (!atStart) return word(input)
  const bytes: number[] = []
  const expected = [0x50, 0x4b]
  while (bytes.length < 4) {
    const byte = await input.byte()
    if (byte === undefined) throw truncated(input)
    bytes.push(byte)
    if (byte === (expected[bytes.length - 1] ?? byte)) continue
    throw input.error('CODEC_CORRUPT', 'this is not a ZIP archive', {
      expected: '50 4b 03 04 at its beginning',
      found: hexBytes(bytes),
      hint: 'if the file is not compressed, read it with { codecs: [] }',
    })
  }
  return Buffer.from(bytes).readUInt32LE(0)
}

async function readLocalHeader(input: EncodedInput): Promise<MemberRecord> {
  const fixed = await take(input, LOCAL_HEADER_BYTES - 4)
  const name = await take(input, fixed.readUInt16LE(22))
  return parseLocalHeader(fixed, name, await take(input, fixed.readUInt16LE(24)))
}

const word = async (input: EncodedInput): Promise<number> => (await take(input, 4)).readUInt32LE(0)

async function take(input: EncodedInput, count: number): Promise<Buffer> {
  const bytes = await input.take(count)
  if (bytes === undefined) throw truncated(input)
  return bytes
}

function wordBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

const truncated = (input: EncodedInput): Error =>
  input.error('CODEC_TRUNCATED', `the ZIP archive ends too early, at byte ${input.offset}`, {
    expected: 'the rest of its members, and its directory',
    found: 'the end of the input',
  })

const corrupt = (input: EncodedInput, summary: string, details: ErrorDetails = {}): Error =>
  input.error('CODEC_CORRUPT', summary.startsWith('it') ? `the ZIP archive is damaged: ${summary}` : summary, details)

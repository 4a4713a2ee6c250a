/** The central directory of a ZIP archive, read from its end. */
import { createError, type ErrorDetails } from '../core/errors.ts'
import type { Abortable, RandomAccess } from '../core/types.ts'
import {
  DIRECTORY_ENTRY,
  DIRECTORY_ENTRY_BYTES,
  END,
  END_64,
  END_64_BYTES,
  END_64_LOCATOR,
  END_64_LOCATOR_BYTES,
  END_BYTES,
  LOCAL_HEADER_BYTES,
  type MemberRecord,
  parseDirectoryEntry,
  parseEnd,
  parseEnd64,
} from './zip-records.ts'

/** A comment of 65,535 bytes may follow the end record. */
const MAX_TAIL_BYTES = END_BYTES + 0xffff
/** A million members; more would be an attack on memory. */
const MAX_DIRECTORY_BYTES = 256 * 1024 * 1024

/** A member and where its local header is, counted from the beginning of the source. */
export type DirectoryEntry = MemberRecord

/** Reads all entries; throws where they do not add up. */
export async function readDirectory(
  random: RandomAccess,
  label: string,
  options: Abortable,
): Promise<readonly DirectoryEntry[]> {
  const fail = (summary: string, details: ErrorDetails = {}): Error =>
    createError('CODEC_CORRUPT', `the ZIP archive is damaged: ${summary}`, { label, ...details })
  const size = await random.size(options)
  const read = async (start: number, end: number): Promise<Buffer> => {
    const [bytes] = await random.readRanges([{ start, end }], options)
    return Buffer.from(bytes!.buffer, bytes!.byteOffset, bytes!.length)
  }
  const tailStart = Math.max(0, size - MAX_TAIL_BYTES)
  const tail = await read(tailStart, size)
  const endAt = tailStart + (await findEnd(tail, label, () => read(0, Math.min(size, 2))))
  const end = parseEnd(tail.subarray(endAt - tailStart + 4))
  let directory: { disk: number; entries: number; bytes: number; offset: number } = end
  /** Where what follows the directory begins. */
  let behind = endAt
  const locatorAt = endAt - END_64_LOCATOR_BYTES
  const locator = locatorAt >= 0 ? await read(locatorAt, endAt) : undefined
  if (locator?.readUInt32LE(0) === END_64_LOCATOR) {
    behind = locatorAt - END_64_BYTES
    const record = behind >= 0 ? await read(behind, locatorAt) : undefined
    if (record?.readUInt32LE(0) !== END_64) throw fail('its ZIP64 end record is not where it must be')
    directory = parseEnd64(record.subarray(4))
  } else if (end.needs64) throw fail('its ZIP64 end record is missing')

  if (directory.disk !== 0) {
    throw createError('CODEC_UNSUPPORTED', 'the ZIP archive is split into several files', {
      label,
      hint: 'join its parts: zip -s 0 split.zip --out whole.zip',
    })
  }
  const start = behind - directory.bytes
  // What stands before an archive (the program of one that extracts itself) moves all offsets.
  const shift = start - directory.offset
  if (shift < 0) {
    throw fail('its central directory is not where its end says', {
      expected: `${directory.bytes} bytes from byte ${directory.offset} on, up to byte ${behind}`,
      found: `${behind - directory.offset} bytes`,
    })
  }
  if (directory.bytes > MAX_DIRECTORY_BYTES) {
    throw createError('CODEC_LIMIT_EXCEEDED', 'the central directory of the ZIP archive is too large', {
      label,
      expected: `at most ${MAX_DIRECTORY_BYTES} bytes`,
      found: `${directory.bytes} bytes`,
    })
  }
  const entries = parseEntries(await read(start, behind), shift, fail)
  if (entries.length !== directory.entries) {
    throw fail('its central directory has another number of entries than its end says', {
      expected: String(directory.entries),
      found: String(entries.length),
    })
  }
  checkPlaces(entries, start, fail)
  return entries
}

/** Where in `tail` the end record is. */
async function findEnd(tail: Buffer, label: string, firstBytes: () => Promise<Buffer>): Promise<number> {
  const inComment = (at: number) => at + END_BYTES + tail.readUInt16LE(at + 20)
  let trailing: number | undefined
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END) continue
    if (inComment(at) === tail.length) return at
    if (inComment(at) < tail.length) trailing ??= tail.length - inComment(at)
  }
  if (trailing !== undefined) {
    throw createError('CODEC_TRAILING_DATA', `${trailing} bytes follow the ZIP archive`, {
      label,
      expected: 'the end of the input',
      found: `${trailing} bytes more`,
      hint: 'cut them off if they are not meant to be there',
    })
  }
  // It began as an archive does.
  if ((await firstBytes()).every((byte, i) => byte === 'PK'.charCodeAt(i))) {
    throw createError('CODEC_TRUNCATED', 'the ZIP archive has no end', {
      label,
      expected: 'an end of central directory record',
      found: tail.length === 0 ? '0 bytes' : 'none',
    })
  }
  throw createError('CODEC_CORRUPT', 'this is not a ZIP archive', {
    label,
    expected: '50 4b 03 04 at its beginning',
    hint: 'if the file is not compressed, read it with { codecs: [] }',
  })
}

function parseEntries(
  bytes: Buffer,
  shift: number,
  fail: (summary: string, details?: ErrorDetails) => Error,
): DirectoryEntry[] {
  const entries: DirectoryEntry[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + DIRECTORY_ENTRY_BYTES > bytes.length || bytes.readUInt32LE(at) !== DIRECTORY_ENTRY) {
      throw fail(`entry ${entries.length + 1} of its central directory is none`)
    }
    const fixed = bytes.subarray(at + 4, at + DIRECTORY_ENTRY_BYTES)
    const nameAt = at + DIRECTORY_ENTRY_BYTES
    const extraAt = nameAt + fixed.readUInt16LE(24)
    const commentAt = extraAt + fixed.readUInt16LE(26)
    at = commentAt + fixed.readUInt16LE(28)
    if (at > bytes.length) throw fail(`entry ${entries.length + 1} of its central directory is cut off`)
    const entry = parseDirectoryEntry(fixed, bytes.subarray(nameAt, extraAt), bytes.subarray(extraAt, commentAt))
    entries.push({ ...entry, offset: entry.offset + shift })
  }
  return entries
}

/** Members that share their bytes are how a small archive holds petabytes. */
function checkPlaces(
  entries: readonly DirectoryEntry[],
  directoryStart: number,
  fail: (summary: string, details?: ErrorDetails) => Error,
): void {
  const sorted = [...entries].sort((a, b) => a.offset - b.offset)
  for (const [i, entry] of sorted.entries()) {
    const end = entry.offset + LOCAL_HEADER_BYTES + Buffer.byteLength(entry.name) + entry.encodedBytes
    const next = sorted[i + 1]?.offset ?? directoryStart
    if (Number.isSafeInteger(end) && end <= next) continue
    throw fail(`member ${JSON.stringify(entry.name)} reaches into what follows it`, {
      expected: `at most byte ${next}`,
      found: `byte ${end}`,
    })
  }
}

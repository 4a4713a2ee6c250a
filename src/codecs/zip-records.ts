/** The records of a ZIP archive (PKWARE APPNOTE 6.3.10), as bytes and as objects. */

export const LOCAL_HEADER = 0x04034b50
export const DESCRIPTOR = 0x08074b50
export const DIRECTORY_ENTRY = 0x02014b50
export const END_64 = 0x06064b50
export const END_64_LOCATOR = 0x07064b50
export const END = 0x06054b50

export const LOCAL_HEADER_BYTES = 30
export const DIRECTORY_ENTRY_BYTES = 46
export const END_BYTES = 22
export const END_64_BYTES = 56
export const END_64_LOCATOR_BYTES = 20

export const STORED = 0
export const DEFLATED = 8

export const ENCRYPTED = 0x0001
/** The sizes and the checksum follow the data. */
export const WITH_DESCRIPTOR = 0x0008
const PATCHED = 0x0020
const STRONGLY_ENCRYPTED = 0x0040
const UTF8 = 0x0800
const HIDDEN = 0x2000

/** Flags that make a member unreadable here. */
export const UNREADABLE = ENCRYPTED | PATCHED | STRONGLY_ENCRYPTED | HIDDEN

/** In place of a size or an offset that stands in the ZIP64 extra field. */
export const MAX_32 = 0xffffffff
const MAX_16 = 0xffff
const ZIP64_FIELD = 0x0001

/** What a local header or an entry of the central directory says about a member. */
export interface MemberRecord {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly encodedBytes: number
  readonly bytes: number
  /** Whether sizes are 64-bit numbers; those of a data descriptor then are too. */
  readonly zip64: boolean
  /** Of the local header; 0 in a local header itself. */
  readonly offset: number
}

/** A local header without its signature: `fixed` is its fixed part. */
export function parseLocalHeader(fixed: Buffer, name: Buffer, extra: Buffer): MemberRecord {
  const flags = fixed.readUInt16LE(2)
  const sizes = [fixed.readUInt32LE(18), fixed.readUInt32LE(14)]
  return {
    name: decodeName(name, flags),
    flags,
    method: fixed.readUInt16LE(4),
    crc: fixed.readUInt32LE(10),
    ...parseSizes(sizes, extra),
  }
}

/** An entry of the central directory without its signature: `fixed` is its fixed part. */
export function parseDirectoryEntry(fixed: Buffer, name: Buffer, extra: Buffer): MemberRecord {
  const flags = fixed.readUInt16LE(4)
  const sizes = [fixed.readUInt32LE(20), fixed.readUInt32LE(16), fixed.readUInt32LE(38)]
  return {
    name: decodeName(name, flags),
    flags,
    method: fixed.readUInt16LE(6),
    crc: fixed.readUInt32LE(12),
    ...parseSizes(sizes, extra),
  }
}

/** Takes the place holders among decoded size, encoded size, offset from the ZIP64 field, where they stand in this order. */
function parseSizes(given: readonly number[], extra: Buffer) {
  const field = extraField(extra, ZIP64_FIELD)
  let at = 0
  const [bytes = 0, encodedBytes = 0, offset = 0] = given.map(size => {
    if (size !== MAX_32 || field === undefined || at + 8 > field.length) return size
    at += 8
    return Number(field.readBigUInt64LE(at - 8))
  })
  return { bytes, encodedBytes, offset, zip64: field !== undefined }
}

function extraField(extra: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, at + 4 + length)
    at += 4 + length
  }
  return undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Many write UTF-8 without saying so; what is not is shown by its bytes. */
function decodeName(name: Buffer, flags: number): string {
  try {
    return utf8.decode(name)
  } catch {
    return (flags & UTF8) === 0 ? name.toString('latin1') : name.toString('utf8')
  }
}

/** What the end of the central directory says. */
export interface DirectoryEnd {
  /** Of this part of an archive that is split; 0 for one that is not. */
  readonly disk: number
  readonly entries: number
  readonly bytes: number
  readonly offset: number
  readonly commentBytes: number
  /** Whether a number is in the ZIP64 record instead. */
  readonly needs64: boolean
}

/** `bytes` without the signature. */
export function parseEnd(bytes: Buffer): DirectoryEnd {
  const [disk, startDisk, , entries] = [0, 2, 4, 6].map(at => bytes.readUInt16LE(at)) as [
    number,
    number,
    number,
    number,
  ]
  const size = bytes.readUInt32LE(8)
  const offset = bytes.readUInt32LE(12)
  const needs64 = entries === MAX_16 || size === MAX_32 || offset === MAX_32
  return {
    disk: Math.max(disk, startDisk),
    entries,
    bytes: size,
    offset,
    commentBytes: bytes.readUInt16LE(16),
    needs64,
  }
}

/** `bytes` without the signature. */
export function parseEnd64(bytes: Buffer): Omit<DirectoryEnd, 'commentBytes' | 'needs64'> {
  return {
    disk: Math.max(bytes.readUInt32LE(12), bytes.readUInt32LE(16)),
    entries: Number(bytes.readBigUInt64LE(28)),
    bytes: Number(bytes.readBigUInt64LE(36)),
    offset: Number(bytes.readBigUInt64LE(44)),
  }
}

/** Version of the specification that is needed to read: 2.0 for deflate, 4.5 for ZIP64. */
const VERSION = 20
const VERSION_64 = 45
/** 1 January 1980, the first day there is: the same input gives the same bytes. */
const DATE = 0x0021

/** A local header of a member whose sizes follow it. */
export function localHeader(name: Buffer): Buffer {
  const header = Buffer.alloc(LOCAL_HEADER_BYTES)
  header.writeUInt32LE(LOCAL_HEADER, 0)
  header.writeUInt16LE(VERSION, 4)
  header.writeUInt16LE(WITH_DESCRIPTOR | UTF8, 6)
  header.writeUInt16LE(DEFLATED, 8)
  header.writeUInt16LE(DATE, 12)
  header.writeUInt16LE(name.length, 26)
  return Buffer.concat([header, name])
}

export interface WrittenMember {
  readonly name: Buffer
  readonly crc: number
  readonly encodedBytes: number
  readonly bytes: number
}

/** What follows the data of the only member: its descriptor, the central directory and its end. */
export function archiveEnd(member: WrittenMember): Buffer {
  const { name, crc, encodedBytes, bytes } = member
  const large = encodedBytes >= MAX_32 || bytes >= MAX_32
  const descriptor = Buffer.alloc(large ? 24 : 16)
  descriptor.writeUInt32LE(DESCRIPTOR, 0)
  descriptor.writeUInt32LE(crc, 4)
  if (large) {
    descriptor.writeBigUInt64LE(BigInt(encodedBytes), 8)
    descriptor.writeBigUInt64LE(BigInt(bytes), 16)
  } else {
    descriptor.writeUInt32LE(encodedBytes, 8)
    descriptor.writeUInt32LE(bytes, 12)
  }
  const directoryOffset = LOCAL_HEADER_BYTES + name.length + encodedBytes + descriptor.length
  const entry = directoryEntry(member, large)
  const parts = [descriptor, entry]
  const needs64 = large || directoryOffset >= MAX_32
  if (needs64) parts.push(...end64(entry.length, directoryOffset))
  const end = Buffer.alloc(END_BYTES)
  end.writeUInt32LE(END, 0)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(entry.length, 12)
  end.writeUInt32LE(needs64 ? MAX_32 : directoryOffset, 16)
  return Buffer.concat([...parts, end])
}

function directoryEntry({ name, crc, encodedBytes, bytes }: WrittenMember, large: boolean): Buffer {
  const entry = Buffer.alloc(DIRECTORY_ENTRY_BYTES)
  const extra = Buffer.alloc(large ? 20 : 0)
  entry.writeUInt32LE(DIRECTORY_ENTRY, 0)
  entry.writeUInt16LE(large ? VERSION_64 : VERSION, 4)
  entry.writeUInt16LE(large ? VERSION_64 : VERSION, 6)
  entry.writeUInt16LE(WITH_DESCRIPTOR | UTF8, 8)
  entry.writeUInt16LE(DEFLATED, 10)
  entry.writeUInt16LE(DATE, 14)
  entry.writeUInt32LE(crc, 16)
  entry.writeUInt32LE(large ? MAX_32 : encodedBytes, 20)
  entry.writeUInt32LE(large ? MAX_32 : bytes, 24)
  entry.writeUInt16LE(name.length, 28)
  entry.writeUInt16LE(extra.length, 30)
  if (large) {
    extra.writeUInt16LE(ZIP64_FIELD, 0)
    extra.writeUInt16LE(16, 2)
    extra.writeBigUInt64LE(BigInt(bytes), 4)
    extra.writeBigUInt64LE(BigInt(encodedBytes), 12)
  }
  return Buffer.concat([entry, name, extra])
}

function end64(directoryBytes: number, directoryOffset: number): Buffer[] {
  const end = Buffer.alloc(END_64_BYTES)
  end.writeUInt32LE(END_64, 0)
  end.writeBigUInt64LE(BigInt(END_64_BYTES - 12), 4)
  end.writeUInt16LE(VERSION_64, 12)
  end.writeUInt16LE(VERSION_64, 14)
  end.writeBigUInt64LE(1n, 24)
  end.writeBigUInt64LE(1n, 32)
  end.writeBigUInt64LE(BigInt(directoryBytes), 40)
  end.writeBigUInt64LE(BigInt(directoryOffset), 48)
  const locator = Buffer.alloc(END_64_LOCATOR_BYTES)
  locator.writeUInt32LE(END_64_LOCATOR, 0)
  locator.writeBigUInt64LE(BigInt(directoryOffset + directoryBytes), 8)
  locator.writeUInt32LE(1, 16)
  return [end, locator]
}

/**
 * Names that DuckDB does not write: an empty one, and those that differ from another in nothing but case. The column is
 * written by a name that nothing else in the file can hold, which is then replaced in the footer.
 */
import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'

/** The footer's length, and the magic bytes behind it. */
const TAIL_BYTES = 8

/** By name, what a column is called while it is written. */
export type StandIns = ReadonlyMap<string, string>

/** Stand-ins for those names that need one. */
export function standInsFor(names: readonly string[], known: StandIns = new Map()): StandIns {
  const taken = new Set<string>()
  const standIns = new Map<string, string>()
  for (const name of names) {
    const folded = name.toLowerCase()
    if (name === '' || taken.has(folded)) {
      standIns.set(name, known.get(name) ?? `column-${randomBytes(24).toString('hex')}`)
    }
    taken.add(folded)
  }
  return standIns
}

/** Gives the columns of a file their names. */
export async function replaceNames(path: string, standIns: StandIns): Promise<void> {
  if (standIns.size === 0) return
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const tail = Buffer.alloc(TAIL_BYTES)
    await file.read(tail, 0, TAIL_BYTES, size - TAIL_BYTES)
    const length = tail.readUInt32LE(0)
    const footer = Buffer.alloc(length)
    const start = size - TAIL_BYTES - length
    await file.read(footer, 0, length, start)
    const renamed = replaceTexts(footer, standIns)
    tail.writeUInt32LE(renamed.length, 0)
    await file.truncate(start)
    await file.write(Buffer.concat([renamed, tail]), 0, renamed.length + TAIL_BYTES, start)
  } finally {
    await file.close()
  }
}

/** In Thrift's compact protocol a text stands behind its length, and nothing else tells where it ends. */
function replaceTexts(footer: Buffer, standIns: StandIns): Buffer {
  let text = footer
  for (const [name, standIn] of standIns) {
    const before = withLength(standIn)
    const after = withLength(name)
    const parts: Buffer[] = []
    let from = 0
    for (let at = text.indexOf(before); at >= 0; at = text.indexOf(before, from)) {
      parts.push(text.subarray(from, at), after)
      from = at + before.length
    }
    parts.push(text.subarray(from))
    text = Buffer.concat(parts)
  }
  return text
}

/** @see https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
function withLength(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length: number[] = []
  let rest = bytes.length
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80)
  length.push(rest)
  return Buffer.concat([Buffer.from(length), bytes])
}

import type { Abortable, ByteSource } from './types.ts'

/** The last byte of a source, by a ranged read where it can do one; undefined where it is empty. */
export async function lastByte(source: ByteSource, options: Abortable): Promise<number | undefined> {
  if (source.random !== undefined) {
    const size = await source.random.size(options)
    if (size === 0) return undefined
    const [bytes] = await source.random.readRanges([{ start: size - 1, end: size }], options)
    return bytes?.[0]
  }
  let last: number | undefined
  for await (const chunk of source.stream(options)) last = chunk.at(-1)
  return last
}

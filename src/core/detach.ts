/** Keeping a few rows of many without keeping what they were cut out of. */

/**
 * A copy of `value` (a row, an array, a text) whose texts stand for themselves.
 *
 * A text that a parser cuts out of its input shares memory with the block it was cut from (about 8 KiB), and keeps that
 * block alive. For rows that are read and let go this is what makes reading quick. Detach rows that you keep for long
 * while you drop most of the others around them. Costs about as much as parsing the row.
 */
export function detach<T>(value: T): T {
  if (typeof value === 'string') return flatCopy(value) as T
  if (Array.isArray(value)) return value.map(detach) as T
  if (typeof value !== 'object' || value === null) return value
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value // a Date, bytes, …: nothing of ours
  const copy: Record<string, unknown> = Object.create(prototype)
  for (const [name, field] of Object.entries(value)) {
    // Not by assignment: `__proto__` may be a column.
    Object.defineProperty(copy, name, { value: detach(field), writable: true, enumerable: true, configurable: true })
  }
  return copy as T
}

/** Through UTF-16 bytes and back: any text survives this, lone surrogates too. */
function flatCopy(text: string): string {
  // A text this short is always a copy.
  return text.length < 13 ? text : Buffer.from(text, 'utf16le').toString('utf16le')
}

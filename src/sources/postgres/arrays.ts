/** Array literals: `{1,NULL,"two, three"}`, nested, with or without the bounds of their dimensions before them. */

/** The array that a literal stands for; each text that is not NULL goes through `parse`. */
export function parseArray(literal: string, parse: (text: string) => unknown, delimiter = ','): unknown[] {
  let at = literal.startsWith('[') ? literal.indexOf('=') + 1 : 0
  const readArray = (): unknown[] => {
    const items: unknown[] = []
    at++ // {
    while (at < literal.length) {
      const character = literal[at]
      if (character === '}') {
        at++
        return items
      }
      if (character === delimiter) at++
      else if (character === '{') items.push(readArray())
      else if (character === '"') items.push(parse(readQuoted()))
      else {
        const text = readBare()
        items.push(text === 'NULL' ? null : parse(text))
      }
    }
    return items
  }
  const readQuoted = (): string => {
    let text = ''
    let from = ++at
    for (; at < literal.length; at++) {
      const character = literal[at]
      if (character === '"') break
      if (character !== '\\') continue
      text += literal.slice(from, at)
      from = ++at
    }
    return text + literal.slice(from, at++)
  }
  const readBare = (): string => {
    const from = at
    while (at < literal.length && literal[at] !== delimiter && literal[at] !== '}') at++
    return literal.slice(from, at)
  }
  return readArray()
}

/** The literal of an array of texts that are literals of its elements; null is NULL. */
export function arrayLiteral(items: readonly (string | null | readonly unknown[])[]): string {
  const parts = items.map(item => {
    if (item === null) return 'NULL'
    if (Array.isArray(item)) return arrayLiteral(item)
    return `"${(item as string).replace(/["\\]/g, '\\$&')}"`
  })
  return `{${parts.join(',')}}`
}

/** Tables of the single-byte encodings (WHATWG Encoding Standard, section 9): byte → character, and back. */

/** Of a byte that is no character. */
export const NO_CHARACTER = 0xfffd

/**
 * Where Node's tables (ICU's) are not those of the standard. The worst: Node before 23 reads windows-1252 as ISO 8859-1,
 * in which 0x80 to 0x9F are control characters instead of €, quotes and dashes.
 */
const CORRECTIONS: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  'windows-1252': from(
    0x80,
    '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
      '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178',
  ),
  'windows-1253': { 170: NO_CHARACTER },
  'windows-1255': { 202: 0x05ba },
  'koi8-u': { 174: 0x045e, 190: 0x040e },
  'windows-874': { ...from(0xdb, '\ufffd\ufffd\ufffd\ufffd'), ...from(0xfc, '\ufffd\ufffd\ufffd\ufffd') },
}

function from(start: number, characters: string): Record<number, number> {
  return Object.fromEntries(Array.from(characters, (character, i) => [start + i, character.charCodeAt(0)]))
}

const TABLES = new Map<string, Uint16Array>()

/** The UTF-16 unit of each byte; `NO_CHARACTER` where there is none. Bytes below 0x80 are ASCII in all of them. */
export function charactersOf(name: string): Uint16Array {
  let table = TABLES.get(name)
  if (table === undefined) {
    table = Uint16Array.from({ length: 256 }, (_, byte) => byte)
    const decoder = new TextDecoder(name)
    for (let byte = 0x80; byte < 256; byte++) {
      const text = decoder.decode(Uint8Array.of(byte))
      table[byte] = CORRECTIONS[name]?.[byte] ?? (text.length === 1 ? text.charCodeAt(0) : NO_CHARACTER)
    }
    TABLES.set(name, table)
  }
  return table
}

/** The byte of each UTF-16 unit; 0 where there is none (and for U+0000). `unused` bytes are left out. */
export function bytesOf(name: string, unused?: readonly [from: number, to: number]): Uint8Array {
  const bytes = new Uint8Array(0x10000)
  for (const [byte, character] of charactersOf(name).entries()) {
    if (character === NO_CHARACTER || (unused !== undefined && byte >= unused[0] && byte <= unused[1])) continue
    bytes[character] = byte
  }
  return bytes
}

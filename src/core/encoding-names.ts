/** Names of text encodings: the labels of the WHATWG Encoding Standard, as `TextDecoder` takes them, and a few more. */
import { excerpt, nearest } from './errors.ts'
import { invalidOption } from './options.ts'

export interface Encoding {
  /** The standard's name, in lower case. */
  readonly name: string
  readonly kind: 'utf-8' | 'utf-16' | 'utf-32' | 'single-byte' | 'multi-byte'
  /** Whether the label leaves the byte order to the byte order mark: `utf-16`, `utf-32`. */
  readonly anyOrder?: boolean
  /**
   * The bytes that writing does not use. The standard reads the labels of ISO 8859 and ASCII as the larger code pages of
   * Windows; who reads what we write may not.
   */
  readonly unusedBytes?: readonly [from: number, to: number]
}

export const UTF_8: Encoding = { name: 'utf-8', kind: 'utf-8' }

const MULTI_BYTE = new Set(['gbk', 'gb18030', 'big5', 'euc-jp', 'shift_jis', 'euc-kr'])
/** What `TextDecoder` may know that is no text of a table: they map bytes to nothing or to private characters. */
const REFUSED = new Set(['replacement', 'x-user-defined'])

/** Names that other tools use. Python's `cp949` and the like are what the standard means by its larger encodings. */
const ALIASES: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  cp950: 'big5',
  'latin-1': 'latin1',
  utf8: 'utf-8',
  utf16: 'utf-16',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
}

/** Labels of UTF-16 that do not say a byte order. */
const ANY_ORDER = new Set(['utf-16', 'unicode', 'ucs-2', 'iso-10646-ucs-2', 'csunicode'])

/** For suggestions; every label of the standard is taken. */
const NAMES = [
  ...['utf-8', 'utf-16', 'utf-16le', 'utf-16be', 'utf-32', 'utf-32le', 'utf-32be', 'ascii', 'latin1'],
  ...Array.from({ length: 9 }, (_, i) => `windows-125${i}`),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15].map(part => `iso-8859-${part}`),
  ...['windows-874', 'ibm866', 'koi8-r', 'koi8-u', 'macintosh', 'x-mac-cyrillic'],
  ...[...MULTI_BYTE, 'iso-2022-jp', 'gb2312', 'sjis', ...Object.keys(ALIASES)],
]

/** What a label means, whatever its case. OPTION_INVALID where it means nothing. */
export function parseEncoding(label: string): Encoding {
  const given = label.trim().toLowerCase()
  const known = ALIASES[given] ?? given
  if (/^utf-32(le|be)?$/.test(known)) {
    return { name: known === 'utf-32' ? 'utf-32le' : known, kind: 'utf-32', anyOrder: known === 'utf-32' }
  }
  const name = standardName(known)
  if (name === undefined || REFUSED.has(name)) {
    const near = nearest(given, NAMES)
    throw invalidOption(
      'encoding',
      'the name of an encoding',
      label,
      near === undefined ? `as in 'utf-16le', 'windows-1252' or 'shift_jis'` : `did you mean ${excerpt(near)}?`,
    )
  }
  if (name === 'utf-8') return UTF_8
  if (name.startsWith('utf-16')) return { name, kind: 'utf-16', anyOrder: ANY_ORDER.has(known) }
  if (MULTI_BYTE.has(name) || name === 'iso-2022-jp') return { name, kind: 'multi-byte' }
  if (!name.startsWith('windows-') || /^(windows-|x-cp|cp125|dos-874)/.test(known)) return { name, kind: 'single-byte' }
  return { name, kind: 'single-byte', unusedBytes: /ascii|ansi/.test(known) ? [0x80, 0xff] : [0x80, 0x9f] }
}

function standardName(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding
  } catch {
    return undefined
  }
}

/** A byte order mark (The Unicode Standard, section 23.8). */
export interface ByteOrderMark {
  readonly encoding: Encoding
  readonly bytes: readonly number[]
}

/** Longer ones first: that of UTF-32LE begins with that of UTF-16LE. */
const MARKS: readonly ByteOrderMark[] = [
  { encoding: { name: 'utf-32le', kind: 'utf-32' }, bytes: [0xff, 0xfe, 0, 0] },
  { encoding: { name: 'utf-32be', kind: 'utf-32' }, bytes: [0, 0, 0xfe, 0xff] },
  { encoding: UTF_8, bytes: [0xef, 0xbb, 0xbf] },
  { encoding: { name: 'utf-16le', kind: 'utf-16' }, bytes: [0xff, 0xfe] },
  { encoding: { name: 'utf-16be', kind: 'utf-16' }, bytes: [0xfe, 0xff] },
]

/**
 * The byte order mark that an input begins with; undefined where it has none, null where `head` is too short to tell.
 * Four bytes are never too short. FF FE 00 00 is taken for UTF-32LE, unless `assume` says UTF-16: as that it would be
 * text that begins with NUL.
 */
export function findByteOrderMark(
  head: Uint8Array,
  complete: boolean,
  assume?: Encoding,
): ByteOrderMark | undefined | null {
  for (const mark of MARKS) {
    if (mark.encoding.name === 'utf-32le' && assume?.kind === 'utf-16') continue
    const begins = mark.bytes.every((byte, i) => i >= head.length || head[i] === byte)
    if (!begins) continue
    if (head.length >= mark.bytes.length) return mark
    if (!complete) return null
  }
  return undefined
}

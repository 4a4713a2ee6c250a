/** What headers tell of the content: its name and its type. */

/** A media type without its parameters, in lower case: `text/csv`. */
export function mediaTypeOf(header: string | null | undefined): string | undefined {
  const type = header?.replace(/;.*$/s, '').trim().toLowerCase()
  return type === undefined || type === '' ? undefined : type
}

/**
 * The name in a `Content-Disposition` (RFC 6266), without any folders; undefined where it has none. `filename*` goes
 * before `filename`.
 */
export function dispositionFileName(header: string | null | undefined): string | undefined {
  if (header === null || header === undefined) return undefined
  const extended = /;\s*filename\*\s*=\s*([\w-]+)'[^']*'([^;\s]+)/i.exec(header)
  const decoded = extended === null ? undefined : decodeExtended(extended[1]!, extended[2]!)
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(header)
  const name = decoded ?? plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2]
  const base = name?.replace(/^.*[/\\]/s, '').trim()
  return base === undefined || base === '' ? undefined : base
}

/** RFC 8187: percent-encoded, in UTF-8 or in what browsers take for ISO-8859-1. */
function decodeExtended(charset: string, text: string): string | undefined {
  try {
    if (/^utf-?8$/i.test(charset)) return decodeURIComponent(text)
    return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  } catch {
    return undefined
  }
}

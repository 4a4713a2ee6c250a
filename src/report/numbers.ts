/** Numbers as a report writes them. */

/** A count: `12,345`. */
export const count = (value: number): string => value.toLocaleString('en')

/** A value, with as many digits as can be read: `0.000123`, `12.35`, `1,234,567`, `1.23e+25`. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-5 || size >= 1e16)) return value.toPrecision(4).replace(/\.?0+(?=e|$)/, '')
  if (Number.isInteger(value)) return size < 10_000 ? String(value) : value.toLocaleString('en')
  const digits = Math.max(0, 4 - Math.max(1, Math.ceil(Math.log10(size))))
  const text = value.toLocaleString('en', {
    maximumFractionDigits: size < 1 ? 20 : digits,
    maximumSignificantDigits: Math.max(4, Math.ceil(Math.log10(size))),
    useGrouping: size >= 10_000,
  })
  return text
}

/** As `number`, but `12.35M` of what has more than six digits. */
export const compact = (value: number): string =>
  Math.abs(value) >= 1e6 && Math.abs(value) < 1e15
    ? value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 4 })
    : number(value)

/** For narrow columns: three digits, `12.3K` of what has more than four. */
export const brief = (value: number): string =>
  Math.abs(value) >= 1e4 && Math.abs(value) < 1e15
    ? value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 3 })
    : number(Number(value.toPrecision(Math.abs(value) >= 1000 ? 4 : 3)))

/** A share, as HTML: `12 %`, `0.3 %`, `< 0.1 %`; only all is 100 %, and only nothing is 0 %. */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %'
  const share = (part / whole) * 100
  if (share < 0.1) return '&lt; 0.1 %'
  if (share >= 99.95) return part === whole ? '100 %' : '&gt; 99.9 %'
  return `${share < 10 || share > 99 ? share.toFixed(1) : Math.round(share)} %`
}

/** `12.3 MB`. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  let size = value
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`
}

/** An instant, as short as it is true: `2024-02-29`, `2024-02-29 12:00`, … */
export function instant(time: number | string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return String(time)
  const iso = date.toISOString()
  const at = iso.indexOf('T')
  const clock = iso.slice(at + 1, -1).replace(/(:00)?\.000$/, '')
  return clock === '00:00' ? iso.slice(0, at) : `${iso.slice(0, at)} ${clock}`
}

/** `1 row`, `2 rows`. */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`

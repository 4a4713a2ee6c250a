/** Text in columns of fixed widths: the same character positions are blank in all lines. */

export interface FixedWidth {
  readonly columns: number
  readonly lines: number
  readonly confidence: number
}

const MIN_LINES = 3
const MAX_LINES = 200
const MAX_LENGTH = 4096

/** Whether lines are laid out in columns, with blanks between them; undefined where they are not. */
export function sniffFixedWidth(text: string, complete: boolean): FixedWidth | undefined {
  const all = text.split(/\r\n|\n|\r/)
  if (!complete) all.pop()
  const lines = all.filter(line => line.trim() !== '' && !/^[-=+ ]+$/.test(line)).slice(0, MAX_LINES)
  if (lines.length < MIN_LINES || lines.some(line => line.includes('\t') || line.length > MAX_LENGTH)) return undefined
  const length = Math.max(...lines.map(line => line.length))
  const used = new Uint32Array(length)
  for (const line of lines) for (let i = 0; i < line.length; i++) if (line[i] !== ' ') used[i]!++

  let columns = 0
  let inColumn = false
  for (let i = 0; i < length; i++) {
    if (used[i]! > 0 && !inColumn) columns++
    inColumn = used[i]! > 0
  }
  if (columns < 2) return undefined
  // Words of sentences leave a blank position only by chance; padding leaves runs of them in most lines.
  const padded = lines.filter(line => /\S {2,}\S/.test(line)).length / lines.length
  const usual = lines[0]!.trimEnd().length
  const even = lines.filter(line => Math.abs(line.trimEnd().length - usual) <= usual * 0.35).length / lines.length
  if (padded < 0.5) return undefined
  const enough = Math.min(1, 0.7 + lines.length * 0.03)
  return { columns, lines: lines.length, confidence: Math.min(0.9, (0.4 + 0.3 * padded + 0.2 * even) * enough) }
}

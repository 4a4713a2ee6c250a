/** Types of what the tests take from `book.mjs`. */

export interface Ratio {
  value: number
  noise: number
  better: 'higher' | 'lower'
}

export interface Target {
  label: string
  value: number
  bound: number
  sign: '≥' | '≤'
  unit: string
  met: boolean
}

export type Section =
  | { kind: 'table'; title: string; columns: string[]; lines: string[][] }
  | { kind: 'note'; text: string }
  | { kind: 'chart'; chart: Chart }

export type Chart = Bars | Lines

export interface Bars {
  kind: 'bars'
  file: string
  title: string
  subtitle?: string
  unit: string
  bars: { label: string; value: number; low?: number; high?: number; own?: boolean }[]
  mark?: number
}

export interface Lines {
  kind: 'lines'
  file: string
  title: string
  subtitle?: string
  xLabel: string
  yLabel: string
  logX?: boolean
  logY?: boolean
  series: { label: string; points: { x: number; y: number }[] }[]
  limit?: { label: string; y: number }
}

export interface Environment {
  date: string
  commit: string
  version: string
  cpu: string
  cores: number
  memoryGB: number
  os: string
  node: string
  v8: string
  load: number
  peers: string[]
}

export interface CaseRecord {
  case: string
  environment: Environment
  options: { mode: 'full' | 'quick'; rounds: number; megabytes: number }
  seconds: number
  sections: Section[]
  targets: Target[]
  headlines: { label: string; value: number }[]
  ratios: Record<string, Ratio>
  findings: { variant: string; message: string }[]
  wrong: string[]
}

export type Floor = { [mode in 'full' | 'quick']?: { node: string; lines: Record<string, Ratio> } }

export function renderBook(records: CaseRecord[]): Record<string, string>
export function readRecords(folder: string, order: readonly string[]): CaseRecord[]
export function drawChart(chart: Chart): string
export function checkFloor(
  records: CaseRecord[],
  floor: Floor,
  mode: 'full' | 'quick',
  options?: { isPartial?: boolean },
): { held: number; fallen: string[]; missing: string[]; unknown: string[] }
export function raiseFloor(records: CaseRecord[], floor: Floor, mode: 'full' | 'quick'): Floor
export function fitLine(points: { x: number; y: number }[]): { slope: number; intercept: number; r2: number }
export function growthExponent(points: { x: number; y: number }[]): number
export function relativeSpread(values: number[]): number
/** The cases in the order of the book. */
export const CASES: readonly string[]

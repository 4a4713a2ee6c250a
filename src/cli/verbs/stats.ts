/** `stats`: each column on a line, with a histogram that fits into it. */
import type { ColumnProfile } from '../../profile/types.ts'
import type { Call } from '../declare.ts'
import { profileOf } from '../profiling.ts'
import { showRows } from '../show.ts'
import { printable } from '../table.ts'

const COLUMNS = [
  'column',
  'type',
  'shape',
  'nulls',
  'distinct',
  'min',
  'p25',
  'p50',
  'p75',
  'max',
  'mean',
  'top',
] as const

const NARROW_COLUMNS = ['column', 'type', 'shape', 'nulls', 'distinct', 'min', 'max'] as const
/** Characters across from which on all columns are shown. */
const WIDE = 130
const NARROW_CELL = 10
const WIDE_CELL = 16

export async function run(call: Call): Promise<void> {
  const { terminal } = call
  const found = await profileOf(call)
  if (terminal.json) {
    for (const column of found.columns) await terminal.out(`${JSON.stringify(column)}\n`)
  } else {
    const isNarrow = terminal.columns < WIDE
    const most = isNarrow ? NARROW_CELL : WIDE_CELL
    const columns = isNarrow ? NARROW_COLUMNS : COLUMNS
    await showRows(
      found.columns.map(column => lineOf(column, most)),
      { columns },
      terminal,
    )
    if (isNarrow) terminal.note('quantiles, mean and top values are shown in a wider terminal, and by --json')
    const duplicates =
      found.duplicates.rows === 0
        ? ''
        : `, ${found.duplicates.accuracy.exact ? '' : '≈'}${found.duplicates.rows.toLocaleString('en')} duplicates`
    terminal.note(`${found.rows.toLocaleString('en')} rows${duplicates}`)
    const estimated = found.columns.filter(({ distinct }) => !distinct.accuracy.exact)
    for (const { distinct, numbers, top } of estimated.slice(0, 1)) {
      const parts = [
        distinct.accuracy.note,
        ...(numbers === undefined ? [] : [numbers.accuracy.note]),
        top.accuracy.note,
      ]
      terminal.note(`≈ ${[...new Set(parts)].join(' ')}`)
    }
  }
  if (!found.scope.complete) terminal.note(found.scope.note)
}

/** `most`: characters of a name, and of the least and the greatest value. */
function lineOf(column: ColumnProfile, most: number): Record<(typeof COLUMNS)[number], unknown> {
  const { name, type, nulls, distinct, min, max, numbers, dates } = column
  const about = numbers?.accuracy.exact === false ? '≈' : ''
  const quantile = (share: number): unknown => {
    const one = numbers?.quantiles.find(other => other.share === share)
    return one === undefined ? null : about === '' ? short(one.value) : `${about}${short(one.value)}`
  }
  return {
    column: cut(name, most * 2),
    type,
    shape: sparkline(shapeOf(column)),
    nulls: nulls === 0 ? null : nulls,
    distinct: distinct.accuracy.exact ? distinct.count : `≈${distinct.count}`,
    min: numbers === undefined ? cut(min, most) : short(numbers.min),
    p25: quantile(0.25),
    p50: dates === undefined ? quantile(0.5) : dates.median.replace('.000Z', 'Z'),
    p75: quantile(0.75),
    max: numbers === undefined ? cut(max, most) : short(numbers.max),
    mean: numbers === undefined ? null : short(numbers.mean),
    top: topOf(column),
  }
}

function cut<T extends string | null>(text: T, most: number): T | string {
  if (text === null) return text
  const shown = printable(text)
  return shown.length <= most ? shown : `${[...shown].slice(0, most - 1).join('')}…`
}

/** Values that are there more than once, with how often they are. */
function topOf({ top, distinct }: ColumnProfile): string {
  return top.values
    .filter(({ count }) => count > 1 || distinct.count === 1)
    .slice(0, 3)
    .map(
      ({ value, count, atMost }) =>
        `${value === '' ? '""' : printable(value).slice(0, 24)} ${count < atMost ? '≥' : ''}${count}`,
    )
    .join(' · ')
}

/** Six digits are enough to look at; whole numbers have all of theirs. */
const short = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(6)))

/** Counts of a histogram; of texts those of the most frequent values. */
function shapeOf({ numbers, dates, top }: ColumnProfile): readonly number[] {
  const histogram = numbers?.histogram ?? dates?.histogram
  return histogram === undefined ? top.values.map(({ count }) => count) : histogram.counts
}

const BLOCKS = '▁▂▃▄▅▆▇█'
const WIDTH = 12

/** A histogram of at most 12 characters: a blank is nothing, and the lowest block is little. */
export function sparkline(counts: readonly number[]): string {
  const size = Math.ceil(counts.length / WIDTH)
  const sums: number[] = []
  for (let i = 0; i < counts.length; i += size) sums.push(counts.slice(i, i + size).reduce((sum, one) => sum + one, 0))
  const most = Math.max(...sums)
  return sums
    .map(sum => (sum === 0 ? ' ' : BLOCKS[Math.min(BLOCKS.length - 1, Math.floor((sum / most) * BLOCKS.length))]))
    .join('')
}

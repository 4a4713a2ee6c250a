/** What of a column is worth a look: signs that its values show, and what only all of them together do. */

import type { SchemaType } from '../core/schema.ts'
import { SIGNS } from './describe-value.ts'
import type { Extremes } from './extremes.ts'
import type { Numbers } from './number-sketch.ts'
import type { ColumnProfile, Finding, SuspiciousValue, ValueKind } from './types.ts'
import { quantilesOf, totalOf } from './weighted-values.ts'

/** What is known of a column when all its values are through. */
export interface ColumnFacts {
  readonly type: SchemaType
  readonly rows: number
  readonly count: number
  readonly nulls: number
  readonly distinct: ColumnProfile['distinct']
  readonly kinds: Readonly<Partial<Record<ValueKind, number>>>
  readonly kindSamples: Readonly<Partial<Record<ValueKind, readonly SuspiciousValue[]>>>
  /** By the index of `SIGNS`. */
  readonly signs: ReadonlyMap<number, { readonly count: number; readonly samples: readonly SuspiciousValue[] }>
  readonly numbers: Numbers | undefined
  readonly extremes: Extremes
}

const MEANINGS: Record<(typeof SIGNS)[number], readonly [severity: Finding['severity'], message: string]> = {
  'surrounding-space': ['warning', 'White space before or after the text.'],
  blank: ['warning', 'Nothing but white space.'],
  'control-characters': ['warning', 'Control characters in the text.'],
  'replacement-characters': ['warning', 'Replacement characters (U+FFFD): text was lost when it was decoded.'],
  'invisible-characters': [
    'warning',
    'Characters that cannot be seen: of no width, or that turn the direction of text.',
  ],
  mojibake: ['warning', 'Looks like UTF-8 that was read in another encoding.'],
  'leading-zeros': ['info', 'Digits with leading zeros: codes, which would be changed if they were read as numbers.'],
  'formatted-numbers': ['info', 'Looks like a number with separators, a currency or a percent sign.'],
  'null-text': ['warning', 'A text that often stands for a missing value.'],
  'not-finite': ['warning', 'Not a finite number.'],
  'future-dates': ['warning', 'In the future.'],
}

export function findingsOf(facts: ColumnFacts): Finding[] {
  const { rows, count, nulls, distinct, signs } = facts
  const found: Finding[] = []
  const add = (code: Finding['code'], severity: Finding['severity'], message: string, about: number) =>
    found.push({ code, severity, message, count: about, exact: true, samples: [] })
  if (count === 0 && rows > 0) add('only-nulls', 'warning', 'There is no value at all.', rows)
  else if (nulls * 2 > rows) {
    add('mostly-nulls', 'info', `${Math.floor((nulls / rows) * 100)} % of the values are missing.`, nulls)
  }
  if (distinct.accuracy.exact && distinct.count === 1 && count > 1) {
    add('constant', 'info', nulls === 0 ? 'All values are the same.' : 'All values that are there are the same.', count)
  }
  found.push(...mixedTypes(facts))
  for (const [bit, { count: times, samples }] of [...signs].sort(([a], [b]) => a - b)) {
    const code = SIGNS[bit]!
    const [severity, message] = MEANINGS[code]
    // One in five is a value of its own, whatever it is called.
    const isCommon = code === 'null-text' && times * 5 > count
    found.push({ code, severity: isCommon ? 'info' : severity, message, count: times, exact: true, samples })
  }
  found.push(...outliers(facts))
  return found
}

const GROUPS: Record<ValueKind, string> = {
  integer: 'numbers',
  bigint: 'numbers',
  number: 'numbers',
  boolean: 'booleans',
  date: 'dates',
  timestamp: 'instants',
  text: 'texts',
  object: 'objects',
  array: 'arrays',
  binary: 'bytes',
  other: 'other values',
}

/** Texts may be anything; numbers among which there are texts are not, nor are values of two types that the format has. */
function mixedTypes({ type, count, kinds, kindSamples, signs }: ColumnFacts): Finding[] {
  if (type !== 'text' && type !== 'json') return []
  const groups = new Map<string, number>()
  for (const [kind, times] of Object.entries(kinds)) {
    const group = GROUPS[kind as ValueKind]
    groups.set(group, (groups.get(group) ?? 0) + times)
  }
  const [[main = '', most = 0] = [], ...rest] = [...groups].sort(([, a], [, b]) => b - a)
  if (rest.length === 0 || (type === 'text' && main === 'texts')) return []
  // Digits with leading zeros are texts only so that they keep them.
  if (kinds.text === signs.get(SIGNS.indexOf('leading-zeros'))?.count && rest.every(([group]) => group === 'texts'))
    return []
  const parts = rest.map(([group, times]) => `${times.toLocaleString('en')} ${group}`).join(', ')
  const samples = Object.entries(kindSamples)
    .filter(([kind]) => GROUPS[kind as ValueKind] !== main)
    .flatMap(([, list]) => list)
    .sort((a, b) => a.row - b.row)
    .slice(0, 5)
  const message = `Types are mixed: ${most.toLocaleString('en')} ${main}, ${parts}.`
  return [{ code: 'mixed-types', severity: 'warning', message, count: count - most, exact: true, samples }]
}

/** Few values have no middle half to speak of. */
const MIN_FOR_OUTLIERS = 20

function outliers({ numbers, extremes }: ColumnFacts): Finding[] {
  if (numbers === undefined || numbers.moments.count < MIN_FOR_OUTLIERS) return []
  const { list, accuracy } = numbers
  const [q1, q3] = quantilesOf(list, [0.25, 0.75]) as [number, number]
  if (q1 === q3) return []
  const low = q1 - 3 * (q3 - q1)
  const high = q3 + 3 * (q3 - q1)
  const samples = extremes.outside(low, high)
  if (samples.length === 0) return []
  const weights = list.weights.filter((_, i) => list.values[i]! < low || list.values[i]! > high)
  const count = Math.max(samples.length, totalOf({ values: [], weights }))
  const message = `Far out: below ${short(low)} or above ${short(high)}, that is three times the spread of the middle half away from it.`
  return [{ code: 'outliers', severity: 'info', message, count, exact: accuracy.exact, samples }]
}

const short = (value: number): string => String(Number(value.toPrecision(4)))

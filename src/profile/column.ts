/** One column: its values one after the other, and what they were in the end. */
import { createHash } from 'node:crypto'
import { types } from 'node:util'
import { detach } from '../core/detach.ts'
import { TypeInferrer } from '../core/infer.ts'
import type { SchemaType } from '../core/schema.ts'
import { summarizeDates } from './dates.ts'
import { describeValue, type Reading, SIGNS, shortText, textOf, type ValueFacts } from './describe-value.ts'
import { Extremes } from './extremes.ts'
import { type ColumnFacts, findingsOf } from './findings.ts'
import { FrequentItems } from './frequent-items.ts'
import { HYPERLOGLOG_ERROR, HyperLogLog } from './hyperloglog.ts'
import { countedNumbers, EXACT, NumberSketch, type Numbers, summarize } from './number-sketch.ts'
import type { Accuracy, ColumnProfile, SuspiciousValue, ValueKind } from './types.ts'

/** Most different values of a column that are counted exactly. */
const MAX_EXACT_VALUES = 10_000
/** Texts longer than this are told apart by their SHA-256. */
const MAX_KEY = 256
const SAMPLES = 5

/** Memory that all columns share for values that are counted exactly. */
export interface Budget {
  values: number
  characters: number
}

/** What a value is known by: itself, where it is a small primitive. */
type Key = string | number | bigint | boolean

interface Entry {
  readonly facts: ValueFacts
  /** The value as text, short; of numbers and the like undefined: the key is it. */
  readonly text: string | undefined
  count: number
}

/** What stands in for the entries when there are too many of them. */
interface Sketches {
  readonly distinct: HyperLogLog
  readonly frequent: FrequentItems<Key>
  readonly numbers: NumberSketch
  readonly times: NumberSketch
  readonly lengths: NumberSketch
}

interface End {
  readonly number: number
  readonly value: unknown
}

export interface ColumnOptions {
  readonly name: string
  /** What the file or the user say of it; undefined where only values tell. */
  readonly declared: { readonly type: SchemaType; readonly source: 'declared' | 'file' } | undefined
  readonly reading: Reading
  readonly topValues: number
  readonly budget: Budget
}

export class ColumnProfiler {
  readonly name: string
  /** Values that are not null. */
  count = 0
  bytes = 0
  readonly #options: ColumnOptions
  readonly #inferrer: TypeInferrer | undefined
  readonly #kinds: Partial<Record<ValueKind, number>> = {}
  readonly #kindSamples: Partial<Record<ValueKind, SuspiciousValue[]>> = {}
  readonly #signs = new Map<number, { count: number; readonly samples: SuspiciousValue[] }>()
  readonly #extremes = new Extremes()
  #empty = 0
  #characters = 0
  #entries: Map<Key, Entry> | undefined = new Map()
  #sketches: Sketches | undefined
  #least: End | undefined
  #greatest: End | undefined
  #earliest: End | undefined
  #latest: End | undefined
  #first: string | undefined
  #last: string | undefined

  constructor(options: ColumnOptions) {
    this.name = options.name
    this.#options = options
    this.#inferrer = options.reading.isOpen ? new TypeInferrer(options.reading.boolean) : undefined
  }

  /** Takes a value that is not null, of a row counted from 1. */
  add(value: unknown, row: number): ValueFacts {
    this.count++
    const key = keyOf(value)
    const known = this.#entries?.get(key)
    if (known !== undefined) {
      known.count++
      this.#tally(known.facts, value, row)
      return known.facts
    }
    const facts = describeValue(value, this.#options.reading)
    this.#tally(facts, value, row)
    this.#look(facts, value, row)
    if (this.#entries !== undefined) this.#remember(key, value, facts)
    else this.#sketch(key, facts, 1)
    return facts
  }

  /** What was found in `rows` rows. */
  finish(rows: number): ColumnProfile {
    const { name, declared, topValues } = this.#options
    const type = this.#type
    const nulls = rows - this.count
    const numeric = this.#numericCount
    const temporal = (this.#kinds.date ?? 0) + (this.#kinds.timestamp ?? 0)
    const isCode = type === 'text' && this.#signs.has(SIGNS.indexOf('leading-zeros'))
    const numbers =
      numeric * 2 >= this.count && numeric > 0 && !isCode
        ? this.#numbers(({ kind }) => isNumeric(kind), 'numbers')
        : undefined
    const isWhole = (this.#kinds.number ?? 0) === 0
    const numberSummary = numbers === undefined ? undefined : summarize(numbers, isWhole)
    const times = temporal * 2 >= this.count ? this.#numbers(({ kind }) => isTemporal(kind), 'times') : undefined
    const dates = times === undefined ? undefined : summarizeDates(times, type === 'date')
    const lengths =
      type === 'text' && numberSummary === undefined && dates === undefined
        ? summarize(
            this.#numbers(() => true, 'lengths'),
            true,
          )
        : undefined
    const facts: ColumnFacts = {
      type,
      rows,
      count: this.count,
      nulls,
      distinct: this.#distinct,
      kinds: this.#kinds,
      kindSamples: this.#kindSamples,
      signs: this.#signs,
      numbers,
      extremes: this.#extremes,
    }
    const [min, max] = this.#range(numbers !== undefined, dates !== undefined)
    return {
      name,
      type,
      source: declared === undefined || this.#inferrer !== undefined ? 'inferred' : declared.source,
      kinds: this.#kinds,
      count: this.count,
      nulls,
      empty: this.#empty,
      distinct: facts.distinct,
      min,
      max,
      ...(numberSummary === undefined ? {} : { numbers: numberSummary }),
      ...(dates === undefined ? {} : { dates }),
      ...(lengths === undefined ? {} : { lengths }),
      top: this.#top(topValues),
      findings: findingsOf(facts),
    }
  }

  /** Counts what is counted of each value, also of one that was there before. */
  #tally({ kind, bytes, signs }: ValueFacts, value: unknown, row: number): void {
    this.#kinds[kind] = (this.#kinds[kind] ?? 0) + 1
    this.bytes += bytes
    if (value === '') this.#empty++
    if (signs === 0) return
    for (let bit = 0; bit < SIGNS.length; bit++) {
      if ((signs & (1 << bit)) === 0) continue
      let sign = this.#signs.get(bit)
      if (sign === undefined) this.#signs.set(bit, (sign = { count: 0, samples: [] }))
      sign.count++
      if (sign.samples.length < SAMPLES) sign.samples.push({ row, value: sampleOf(value) })
    }
  }

  /** Looks at what the value is; once of each, as long as all are kept. */
  #look({ kind, number }: ValueFacts, value: unknown, row: number): void {
    if (typeof value === 'string') {
      this.#inferrer?.observe(value)
      if (this.#first === undefined || value < this.#first) this.#first = detach(value.slice(0, MAX_KEY))
      if (this.#last === undefined || value > this.#last) this.#last = detach(value.slice(0, MAX_KEY))
    }
    const samples = (this.#kindSamples[kind] ??= [])
    if (samples.length < SAMPLES) samples.push({ row, value: sampleOf(value) })
    if (Number.isNaN(number)) return
    if (isTemporal(kind)) {
      if (this.#earliest === undefined || number < this.#earliest.number) this.#earliest = end(number, value)
      if (this.#latest === undefined || number > this.#latest.number) this.#latest = end(number, value)
    } else if (isNumeric(kind)) {
      if (this.#least === undefined || isLess(number, value, this.#least)) this.#least = end(number, value)
      if (this.#greatest === undefined || isGreater(number, value, this.#greatest)) this.#greatest = end(number, value)
      this.#extremes.add(number, row, () => sampleOf(value))
    }
  }

  #remember(key: Key, value: unknown, facts: ValueFacts): void {
    const entries = this.#entries!
    const { budget } = this.#options
    const kept = typeof key === 'string' ? detach(key) : key
    const text =
      typeof value === 'string' && key === value ? undefined : isPlainKey(value) ? undefined : sampleOf(value)
    const characters = (typeof kept === 'string' ? kept.length : 0) + (text?.length ?? 0)
    entries.set(kept, { facts, text, count: 1 })
    this.#characters += characters
    budget.values--
    budget.characters -= characters
    if (entries.size > MAX_EXACT_VALUES || budget.values < 0 || budget.characters < 0) this.#overflow(entries)
  }

  /** From here on values are not kept. */
  #overflow(entries: ReadonlyMap<Key, Entry>): void {
    const { budget } = this.#options
    this.#sketches = {
      distinct: new HyperLogLog(),
      frequent: new FrequentItems(),
      numbers: new NumberSketch(1),
      times: new NumberSketch(2),
      lengths: new NumberSketch(3),
    }
    for (const [key, { facts, count }] of entries) this.#sketch(key, facts, count)
    budget.values += entries.size
    budget.characters += this.#characters
    this.#entries = undefined
  }

  #sketch(key: Key, facts: ValueFacts, count: number): void {
    const { distinct, frequent, numbers, times, lengths } = this.#sketches!
    distinct.add(facts)
    frequent.add(key, count, detach)
    if (facts.characters >= 0) lengths.add(facts.characters, count)
    if (Number.isNaN(facts.number)) return
    if (isTemporal(facts.kind)) times.add(facts.number, count)
    else if (isNumeric(facts.kind)) numbers.add(facts.number, count)
  }

  get #numericCount(): number {
    const { integer = 0, bigint = 0, number = 0 } = this.#kinds
    return integer + bigint + number - (this.#signs.get(SIGNS.indexOf('not-finite'))?.count ?? 0)
  }

  get #type(): SchemaType {
    const { declared } = this.#options
    if (this.#inferrer !== undefined) return this.#inferrer.type
    if (declared !== undefined) return declared.type
    const [first, ...others] = Object.keys(this.#kinds) as ValueKind[]
    if (first === undefined) return 'null'
    const all = [first, ...others]
    if (others.length === 0) return first === 'other' ? 'json' : first
    if (all.every(kind => kind === 'integer' || kind === 'number')) return 'number'
    if (all.every(kind => kind === 'integer' || kind === 'bigint')) return 'bigint'
    return 'json'
  }

  #numbers(belongs: (facts: ValueFacts) => boolean, what: 'numbers' | 'times' | 'lengths'): Numbers {
    if (this.#sketches !== undefined) return this.#sketches[what]
    const counts = new Map<number, number>()
    for (const { facts, count } of this.#entries!.values()) {
      const number = what === 'lengths' ? facts.characters : facts.number
      if (!belongs(facts) || Number.isNaN(number) || (what === 'lengths' && number < 0)) continue
      counts.set(number, (counts.get(number) ?? 0) + count)
    }
    return countedNumbers(counts)
  }

  get #distinct(): ColumnProfile['distinct'] {
    if (this.#entries !== undefined) return { count: this.#entries.size, accuracy: EXACT }
    const count = Math.min(this.count, Math.max(1, Math.round(this.#sketches!.distinct.estimate)))
    const note = `Estimated (HyperLogLog): off by at most ${(HYPERLOGLOG_ERROR * 100).toFixed(1)} %, with a confidence of 95 %.`
    return { count, accuracy: { exact: false, method: 'hyperloglog', error: HYPERLOGLOG_ERROR, note } }
  }

  #top(most: number): ColumnProfile['top'] {
    if (this.#entries !== undefined) {
      const values = [...this.#entries]
        .sort(([, a], [, b]) => b.count - a.count)
        .slice(0, most)
        .map(([key, { text, count }]) => ({ value: text ?? shortText(String(key)), count, atMost: count }))
      return { values, accuracy: EXACT }
    }
    const { frequent } = this.#sketches!
    const values = frequent
      .top(most)
      .map(([key, count]) => ({ value: shortText(visibleKey(key)), count, atMost: count + frequent.error }))
    const error = this.count === 0 ? 0 : frequent.error / this.count
    const note =
      frequent.error === 0
        ? 'Exact.'
        : `Estimated (Misra-Gries counters): each is there so often at least, and ${frequent.error.toLocaleString('en')} times more at most.`
    const accuracy: Accuracy = frequent.error === 0 ? EXACT : { exact: false, method: 'frequent-items', error, note }
    // A count that is small beside its error says nothing.
    return { values: frequent.error === 0 ? values : values.filter(one => one.count > frequent.error / 4), accuracy }
  }

  #range(hasNumbers: boolean, hasDates: boolean): [string | null, string | null] {
    const pair = hasNumbers
      ? [this.#least, this.#greatest]
      : hasDates
        ? [this.#earliest, this.#latest]
        : [this.#first, this.#last].map(value => (value === undefined ? undefined : { value }))
    return pair.map(one => (one === undefined ? null : sampleOf(one.value))) as [string | null, string | null]
  }
}

const isNumeric = (kind: ValueKind) => kind === 'integer' || kind === 'number' || kind === 'bigint'
const isTemporal = (kind: ValueKind) => kind === 'date' || kind === 'timestamp'
const sampleOf = (value: unknown): string => detach(shortText(textOf(value)))
const end = (number: number, value: unknown): End => ({
  number,
  value: typeof value === 'string' ? detach(value) : value,
})

/** Integers that no number tells apart are compared as what they are. */
const isLess = (number: number, value: unknown, { number: other, value: than }: End): boolean =>
  number < other || (number === other && areBig(value, than) && BigInt(value as string) < BigInt(than as string))
const isGreater = (number: number, value: unknown, { number: other, value: than }: End): boolean =>
  number > other || (number === other && areBig(value, than) && BigInt(value as string) > BigInt(than as string))
const isBig = (value: unknown) => typeof value === 'bigint' || (typeof value === 'string' && /^-?\d+$/.test(value))
const areBig = (a: unknown, b: unknown): boolean => isBig(a) && isBig(b)

const isPlainKey = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'

/** Objects are known by their text, behind a mark that keeps them apart from texts. */
function keyOf(value: unknown): Key {
  if (typeof value === 'string') return value.length <= MAX_KEY ? value : longKey(value)
  if (isPlainKey(value)) return value as Key
  const text = textOf(value)
  const mark = types.isDate(value) ? '\u0000d' : ArrayBuffer.isView(value) ? '\u0000b' : '\u0000j'
  return text.length <= MAX_KEY ? mark + text : mark + longKey(text)
}

const longKey = (text: string): string =>
  `${text.slice(0, MAX_KEY - 45)}\u0000${createHash('sha256').update(text).digest('base64')}`

/** A key without its marks. */
function visibleKey(key: Key): string {
  const marked = String(key)
  const text = marked.startsWith('\u0000') ? marked.slice(2) : marked
  const at = text.length > 45 && text.at(-45) === '\u0000' ? text.length - 45 : -1
  return at < 0 ? text : `${text.slice(0, at)}…`
}

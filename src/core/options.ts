/** Options are declared once, as tables: what is checked at run time is what the docs list. */
import { createError, excerpt, nearest } from './errors.ts'

/** One option: what docs and checks are made of. */
export interface OptionEntry {
  /** The type, as the docs print it. */
  readonly type: string
  /** The default, as the docs print it. */
  readonly default: string
  /** What it does, in a sentence. */
  readonly means: string
  /** Whether a value (never `undefined`) may be given. */
  readonly accepts: (value: unknown) => boolean
}

/** Option name → what it is. Write it as `… satisfies Record<keyof MyOptions, OptionEntry>`. */
export type OptionTable = Readonly<Record<string, OptionEntry>>

type Check = (value: unknown) => boolean

/** Checks for `OptionEntry.accepts`. */
export const is = {
  /** `true` or `false`. */
  boolean: (value: unknown) => typeof value === 'boolean',
  /** A text. */
  string: (value: unknown) => typeof value === 'string',
  /** A function. */
  function: (value: unknown) => typeof value === 'function',
  /** `null`. */
  null: (value: unknown) => value === null,
  /** `false`. */
  false: (value: unknown) => value === false,
  /** An `AbortSignal`. */
  signal: (value: unknown) => value instanceof AbortSignal,
  /** A whole number from `min` to `max`. Default for `max`: 2^53 − 1. */
  integer:
    (min: number, max = Number.MAX_SAFE_INTEGER): Check =>
    value =>
      Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  /** One of these values. */
  oneOf:
    (...values: readonly unknown[]): Check =>
    value =>
      values.includes(value),
  /** An array of what `check` accepts. */
  arrayOf:
    (check: Check): Check =>
    value =>
      Array.isArray(value) && value.every(check),
  /** What one of the checks accepts. */
  any:
    (...checks: readonly Check[]): Check =>
    value =>
      checks.some(check => check(value)),
} as const

/** Throws for an option that no table has, and for a value that its entry does not accept. */
export function checkOptions(
  options: Readonly<Record<string, unknown>>,
  tables: readonly OptionTable[],
  what: string,
): void {
  for (const [name, value] of Object.entries(options)) {
    const entry = tables.find(table => Object.hasOwn(table, name))?.[name]
    if (entry === undefined) {
      if (value === undefined) continue
      const known = tables.flatMap(table => Object.keys(table))
      const near = nearest(name, known)
      throw createError('OPTION_UNKNOWN', `${what} has no option ${excerpt(name)}`, {
        found: name,
        hint: near === undefined ? `options are: ${[...new Set(known)].sort().join(', ')}` : `did you mean ${near}?`,
      })
    }
    if (value !== undefined && !entry.accepts(value)) throw invalidOption(name, entry.type, value)
  }
}

/** The error for a value that an option cannot have. */
export function invalidOption(name: string, expected: string, found: unknown, hint?: string): Error {
  return createError('OPTION_INVALID', `option ${name} is ${describe(found)}, expected ${expected}`, {
    expected,
    found: describe(found),
    hint,
  })
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return excerpt(JSON.stringify(value) ?? 'an array').replaceAll('\\"', '"')
  return typeof value === 'object' && value !== null ? 'an object' : excerpt(value)
}

/** Flags that several verbs share, and the options of the library that they stand for. */
import type { ConvertOptions } from '../convert/options.ts'
import type { ReadOptions } from '../open.ts'
import { type Flag, type Flags, UsageError } from './declare.ts'

export const READ_FLAGS: readonly Flag[] = [
  {
    name: 'format',
    short: 'f',
    kind: 'text',
    value: 'format',
    means: 'The format of what is read: csv, jsonl, parquet, …',
  },
  { name: 'codec', kind: 'list', value: 'codec', means: 'Its codecs, outermost first: gzip, zstd, …' },
  { name: 'encoding', kind: 'text', value: 'encoding', means: 'Its encoding: utf-16le, windows-1252, …' },
  { name: 'delimiter', short: 'd', kind: 'text', value: 'text', means: 'What stands between fields; \\t for a tab.' },
  { name: 'header', kind: 'switch', means: 'Whether the first line has the names; --no-header: they are column_1, …' },
  { name: 'cast', kind: 'switch', means: 'Gives text columns types, as far as nothing is lost.' },
  { name: 'relax', kind: 'switch', means: 'Takes ragged records and stray quotes.' },
  { name: 'sniff', kind: 'switch', means: 'Looks at the content to tell what it is.' },
  { name: 'types', kind: 'list', value: 'column=type', means: 'The types of columns.' },
  {
    name: 'read',
    kind: 'list',
    value: 'option=value',
    means: 'Any other option of reading; the value as JSON, or a text.',
  },
]

export const WRITE_FLAGS: readonly Flag[] = [
  { name: 'to-format', kind: 'text', value: 'format', means: 'The format of what is written.' },
  { name: 'level', kind: 'number', means: 'The level of compression.' },
  {
    name: 'write',
    kind: 'list',
    value: 'option=value',
    means: 'Any other option of writing; the value as JSON, or a text.',
  },
]

export const PROFILE_FLAGS: readonly Flag[] = [
  { name: 'columns', short: 'c', kind: 'list', value: 'a,b', means: 'The columns, in this order.' },
  { name: 'rows', short: 'n', kind: 'text', value: 'number|all', means: 'How many rows to read; by default all.' },
  { name: 'top', kind: 'number', means: 'How many of the most frequent values; by default 10.' },
  // Types are found by all values.
  ...READ_FLAGS.filter(({ name }) => name !== 'cast'),
]

export const ROW_FLAGS: readonly Flag[] = [
  { name: 'columns', short: 'c', kind: 'list', value: 'a,b', means: 'The columns, in this order.' },
  {
    name: 'where',
    short: 'w',
    kind: 'list',
    value: 'column=value',
    means: 'Which rows: column=value, column>5, or a filter as JSON.',
  },
  { name: 'order-by', kind: 'list', value: 'a,-b', means: 'The order of the rows; - for the greatest first.' },
  { name: 'limit', short: 'n', kind: 'number', means: 'Most rows.' },
  { name: 'offset', kind: 'number', means: 'Rows to pass over first.' },
  { name: 'on-error', kind: 'text', choices: ['raise', 'skip', 'quarantine'], means: 'What becomes of bad records.' },
  { name: 'max-errors', kind: 'number', means: 'How many of them may be left out.' },
  { name: 'dead-letters', kind: 'text', value: 'target', means: 'Where they are put aside.' },
]

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export function readOptions(flags: Flags): ReadOptions {
  const columns = pairs(flags, 'types')
  return defined({
    format: flags.text('format'),
    codecs: flags.list('codec'),
    encoding: flags.text('encoding'),
    delimiter: flags.text('delimiter')?.replaceAll('\\t', '\t'),
    header: flags.switch('header') === false ? false : undefined,
    cast: flags.switch('cast'),
    relax: flags.switch('relax'),
    sniff: flags.switch('sniff'),
    types: columns.length === 0 ? undefined : Object.fromEntries(columns),
    ...assignments(flags, 'read'),
  }) as ReadOptions
}

export function writeOptions(flags: Flags): NonNullable<ConvertOptions['write']> {
  return defined({ format: flags.text('to-format'), level: flags.number('level'), ...assignments(flags, 'write') })
}

export function convertOptions(flags: Flags): ConvertOptions {
  const rename = pairs(flags, 'rename')
  const orderBy = flags
    .list('order-by')
    ?.map(name => (name.startsWith('-') ? { column: name.slice(1), descending: true } : { column: name }))
  const optional = (name: string) => flags.text(name) ?? flags.switch(name)
  return defined({
    read: readOptions(flags) as NonNullable<ConvertOptions['read']>,
    write: writeOptions(flags),
    columns: flags.list('columns'),
    where: whereOf(flags),
    orderBy,
    limit: flags.number('limit'),
    offset: flags.number('offset'),
    rename: rename.length === 0 ? undefined : Object.fromEntries(rename),
    flatten: optional('flatten'),
    unflatten: optional('unflatten'),
    mode: flags.switch('append') === true ? 'a' : undefined,
    engine: flags.text('engine') as ConvertOptions['engine'],
    onError: flags.text('on-error') as ConvertOptions['onError'],
    maxErrors: flags.number('max-errors'),
    deadLetters: flags.text('dead-letters'),
  } satisfies Mutable<ConvertOptions>)
}

/** `option=value`, where the value is JSON if it reads as such. */
function assignments(flags: Flags, name: string): Record<string, unknown> {
  return Object.fromEntries(
    flags.all(name).map(text => {
      const [key, value] = divide(text, name, 'option=value')
      return [key, jsonOr(value)]
    }),
  )
}

const pairs = (flags: Flags, name: string): [string, string][] =>
  (flags.list(name) ?? []).map(text => divide(text, name, name === 'types' ? 'column=type' : 'old=new'))

function divide(text: string, name: string, expected: string): [string, string] {
  const at = text.indexOf('=')
  if (at <= 0) throw new UsageError(`--${name} takes ${expected}, not ${text}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const OPERATORS: Record<string, string> = {
  '=': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
  '^=': 'startsWith',
}

/** Conditions, all of which must hold. */
function whereOf(flags: Flags): ConvertOptions['where'] {
  const conditions = flags.all('where').map(text => {
    if (text.trim().startsWith('{')) {
      try {
        return JSON.parse(text) as Record<string, never>
      } catch (error) {
        throw new UsageError(`--where is not JSON: ${(error as Error).message}`)
      }
    }
    const match = /^(.+?)(!=|<=|>=|\^=|=|<|>)(.*)$/s.exec(text)
    if (match === null) throw new UsageError(`--where takes column=value, column>5 or a filter as JSON, not ${text}`)
    const [, column, operator, value] = match
    return { [column!]: { [OPERATORS[operator!]!]: operator === '^=' ? value : jsonOr(value!) } }
  })
  if (conditions.length === 0) return undefined
  return (conditions.length === 1 ? conditions[0] : { all: conditions }) as ConvertOptions['where']
}

/** Without what is not given. */
function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}

/** Reads a target for its profile. */
import { ProgressReport } from '../convert/progress.ts'
import { createError, excerpt, nearest } from '../core/errors.ts'
import { checkOptions } from '../core/options.ts'
import { resolveTyping, type TypingOptions } from '../core/typing.ts'
import { openIterable, type ReadOptions, type ReadTarget } from '../open.ts'
import type { Reader } from '../reader.ts'
import { findFormat } from '../registry.ts'
import { PROFILE_OPTIONS, type ProfileOptions } from './options.ts'
import { TableProfiler } from './table.ts'
import type { Profile } from './types.ts'

export async function profileTarget(target: ReadTarget, options: ProfileOptions): Promise<Profile> {
  checkOptions(options as Record<string, unknown>, [PROFILE_OPTIONS], 'profile')
  const { read = {}, columns: wanted, rows: limit = 'all', topValues = 10, maxColumns = 2000, signal } = options
  const now = options.now ?? new Date()
  signal?.throwIfAborted()
  const progress = progressOf(options)
  const opening = { ...(read as ReadOptions), signal }
  // Where only the content tells the format, options of it cannot be given before it is open.
  const known = await readOptionsOf(openIterable(target, opening).format)
  const setsNullText = known.has('cast') && read.nullText === undefined
  const reader: Reader<object> = await openIterable<object>(
    target,
    setsNullText ? { ...opening, nullText: '' } : opening,
  )
  try {
    const isText = (await readOptionsOf(reader.format)).has('cast')
    const typing = resolveTyping({ ...(read as TypingOptions), cast: true })!
    let table: TableProfiler | undefined
    const start = (): TableProfiler => {
      const declared = declaredOf(reader)
      if (wanted !== undefined && declared !== undefined)
        checkWanted(
          wanted,
          declared.map(({ name }) => name),
          reader.label,
        )
      return new TableProfiler({
        reading: { boolean: typing.boolean, now: now.getTime() },
        isText,
        emptyIsNull: isText && !setsNullText && read.nullText === undefined,
        columns: declared,
        wanted,
        topValues,
        maxColumns,
      })
    }
    const most = limit === 'all' ? Number.POSITIVE_INFINITY : limit
    const tell = () => progress.tell(() => countsOf(reader, table?.rows ?? 0))
    let complete = true
    for await (const batch of reader.batches()) {
      table ??= start()
      for (const row of batch) {
        if (table.rows === most) {
          complete = false
          break
        }
        table.add(row)
      }
      tell()
      if (!complete) break
      if (table.rows === most) {
        complete = (await reader.read()) === null
        break
      }
    }
    table ??= start()
    await progress.end(countsOf(reader, table.rows))
    const found = table.finish()
    if (wanted !== undefined && table.met.size > 0) checkWanted(wanted, [...table.met], reader.label)
    return {
      version: 1,
      source: {
        label: reader.label,
        format: reader.format ?? null,
        codecs: reader.codecs,
        bytesRead: reader.bytesRead,
        bytesTotal: reader.bytesTotal ?? null,
      },
      createdAt: now.toISOString(),
      elapsedMs: Math.round(progress.elapsedMs),
      scope: {
        complete,
        note: complete
          ? `All ${found.rows.toLocaleString('en')} rows.`
          : `Only the first ${found.rows.toLocaleString('en')} rows: later ones may differ.`,
      },
      rowsLeftOut: reader.rowsSkipped + reader.rowsFailed,
      ...found,
    }
  } finally {
    await reader.close()
  }
}

function progressOf({ onProgress, progressIntervalMs }: ProfileOptions): ProgressReport {
  if (onProgress === undefined) return new ProgressReport({})
  return new ProgressReport({
    progressIntervalMs,
    onProgress: ({ from, rowsIn, to: _, rowsOut: __, ...rest }) => onProgress({ label: from, rows: rowsIn, ...rest }),
  })
}

const countsOf = ({ label, bytesRead, bytesTotal }: Reader<object>, rows: number) => {
  return { from: label, to: '', rowsIn: rows, rowsOut: rows, bytesRead, bytesTotal }
}

/** The columns as the file or the user says them; undefined where only the values tell. */
function declaredOf({ schema }: Reader<object>): NonNullable<Reader<object>['schema']>['columns'] | undefined {
  const columns = schema?.columns ?? []
  return columns.some(({ source }) => source !== 'inferred') ? columns : undefined
}

/** The names of the options that a format has for reading. */
async function readOptionsOf(id: string | undefined): Promise<ReadonlySet<string>> {
  const format = id === undefined ? undefined : await findFormat(id)?.load()
  return new Set(format === undefined ? [] : Object.keys(format.readOptions))
}

function checkWanted(wanted: readonly string[], names: readonly string[], label: string): void {
  const missing = wanted.find(name => !names.includes(name))
  if (missing === undefined) return
  const near = nearest(missing, names)
  throw createError('OPTION_INVALID', `option columns names ${excerpt(missing)}, which is not a column`, {
    label,
    expected: 'names of columns',
    found: missing,
    hint: near === undefined ? `the columns are: ${excerpt(names.join(', '), 300)}` : `did you mean ${excerpt(near)}?`,
  })
}

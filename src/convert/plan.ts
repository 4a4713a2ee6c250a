/** How a conversion will be done, and why: a plain object that can be printed and asserted. */

import { checkOptions } from '../core/options.ts'
import type { Schema } from '../core/schema.ts'
import type { FormatOptions } from '../core/types.ts'
import { type Resolution, resolveTarget } from '../resolve.ts'
import { lossesOf } from './losses.ts'
import { CONVERT_OPTIONS, type ConvertOptions } from './options.ts'

/** One end of a conversion. */
export interface PlannedEnd {
  /** What messages call it; without credentials. */
  readonly label: string
  /** Id of the format; undefined for rows that need none, and where only the content tells. */
  readonly format: string | undefined
  /** Ids of the codecs, outermost first. */
  readonly codecs: readonly string[]
}

/** What `convert` will do. */
export interface ConversionPlan {
  /** The source, and how it is read. */
  readonly from: PlannedEnd
  /** The target, and how it is written. */
  readonly to: PlannedEnd
  /** `rows`: our readers and writers, row by row; `duckdb`: one query of DuckDB. */
  readonly engine: 'rows' | 'duckdb'
  /** Why this engine, a sentence each. */
  readonly reasons: readonly string[]
  /** Whether the types of text columns are inferred, as the output's columns have types. */
  readonly infersTypes: boolean
  /** What has to be kept in a temp file on the way. */
  readonly spools: readonly string[]
  /** What the output cannot keep as it is, and what becomes of it. Known columns only. */
  readonly losses: readonly string[]
}

/** Both ends as they are resolved, and the options as both sides get them. */
export interface ConversionRequest {
  readonly from: Resolution
  readonly to: Resolution
  readonly options: ConvertOptions
  readonly infersTypes: boolean
}

/** Checks the options and resolves both ends. Opens nothing. */
export async function resolveConversion(
  from: unknown,
  to: unknown,
  options: ConvertOptions,
): Promise<ConversionRequest> {
  checkOptions(options as FormatOptions, [CONVERT_OPTIONS], 'convert')
  const source = resolveTarget(from, { ...options.read }, 'read')
  const target = resolveTarget(to, { ...options.write, mode: options.mode ?? 'w' }, 'write')
  const wantsTypes = (target.format?.typed === true || target.entry.typed === true) && options.read?.cast === undefined
  const format = wantsTypes ? await source.format?.load() : undefined
  const infersTypes = format !== undefined && Object.hasOwn(format.readOptions, 'cast')
  return { from: source, to: target, options, infersTypes }
}

/** The plan of a request: which engine, and why; what the output cannot keep of the columns that are known. */
export function planOf(
  { from, to, infersTypes, options }: ConversionRequest,
  engine: ConversionPlan['engine'],
  reason: string,
  schema?: Schema,
): ConversionPlan {
  const end = ({ label, format, codecs }: Resolution): PlannedEnd => ({
    label,
    format: format?.id,
    codecs: codecs.map(codec => codec.id),
  })
  const target = end(to)
  return {
    from: end(from),
    to: target,
    engine,
    reasons: [reason],
    infersTypes,
    spools: engine === 'duckdb' ? [] : spoolsOf({ from, to, infersTypes, options }),
    losses: schema === undefined ? [] : lossesOf(schema, target.format, options, engine),
  }
}

/** Places whose bytes can be had again, and from anywhere. */
export const REPLAYABLE = ['file', 'memory', 's3', 'http']

/** What goes through a temp file on the way: what is jumped about in, or read twice, and cannot be where it is. */
function spoolsOf({ from, to, infersTypes }: ConversionRequest): string[] {
  const spools: string[] = []
  const isSeekable = REPLAYABLE.includes(from.entry.id)
  const needs = from.format?.needs ?? 'stream'
  if (needs !== 'stream' && (!isSeekable || from.codecs.length > 0)) {
    spools.push(
      `${from.label} is copied to a temp file, as ${from.format!.title} is not read from its start to its end`,
    )
  } else if (infersTypes && !isSeekable) {
    spools.push(`${from.label} is copied to a temp file, as it is read twice: for the types, and for the rows`)
  }
  if (to.format?.id === 'parquet' && (to.entry.id !== 'file' || to.codecs.length > 0)) {
    spools.push(`${to.label} is made in a temp file first, as DuckDB writes files only`)
  }
  return spools
}

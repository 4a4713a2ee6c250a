/** Plans a conversion, then executes the plan. */
import { stat } from 'node:fs/promises'
import { createError } from '../core/errors.ts'
import type { Schema } from '../core/schema.ts'
import { openIterable, type ReadTarget, type WriteTarget } from '../open.ts'
import type { DuckDbConversion, Unfit } from './duckdb/index.ts'
import type { ConvertOptions } from './options.ts'
import { type ConversionPlan, type ConversionRequest, planOf, REPLAYABLE, resolveConversion } from './plan.ts'
import { ProgressReport, rate } from './progress.ts'
import { pushDown } from './pushdown.ts'
import type { ConvertResult } from './result.ts'
import { convertRows, sortedInFile } from './row-road.ts'

export async function runConversion(
  from: ReadTarget,
  to: WriteTarget,
  options: ConvertOptions,
): Promise<ConvertResult> {
  const request = await resolveConversion(from, to, options)
  options.signal?.throwIfAborted()
  const chosen = await chooseEngine(from, request)
  let reason = 'reason' in chosen ? chosen.reason : ''
  if (!('reason' in chosen)) {
    await using conversion = chosen
    const result = await convertByDuckDb(conversion, request)
    if (!('reason' in result)) return result
    reason = result.reason
    if (options.engine === 'duckdb') throw unfit(request, reason)
  }
  return convertRows(from, to, request, planOf(request, 'rows', reason))
}

export async function plan(from: ReadTarget, to: WriteTarget, options: ConvertOptions): Promise<ConversionPlan> {
  const request = await resolveConversion(from, to, options)
  const chosen = await chooseEngine(from, request)
  if ('reason' in chosen) {
    const { rest } = await pushDown(request)
    const own = planOf(request, 'rows', chosen.reason, await schemaOf(from, request))
    return rest.orderBy === undefined ? own : { ...own, spools: [...own.spools, sortedInFile(own)] }
  }
  await using conversion = chosen
  return planOf(request, 'duckdb', ONE_QUERY, conversion.schema)
}

const ONE_QUERY = 'one query of DuckDB reads and writes the same'

/** DuckDB, ready to run, or why not. */
async function chooseEngine(from: ReadTarget, request: ConversionRequest): Promise<DuckDbConversion | Unfit> {
  const { engine } = request.options
  if (engine === 'rows') return { reason: 'it was asked for' }
  const isLocal = request.from.entry.id === 'file' && request.to.entry.id === 'file'
  const chosen: DuckDbConversion | Unfit = isLocal
    ? await (await import('./duckdb/index.ts')).openDuckDbConversion(from, request)
    : { reason: 'DuckDB is given local files only' }
  if ('reason' in chosen && engine === 'duckdb') throw unfit(request, chosen.reason)
  return chosen
}

function unfit({ from }: ConversionRequest, reason: string): Error {
  return createError('CONVERT_ENGINE_UNFIT', `DuckDB cannot convert this as promised: ${reason}`, {
    label: from.label,
    hint: "convert with { engine: 'auto' }",
  })
}

async function convertByDuckDb(
  conversion: DuckDbConversion,
  request: ConversionRequest,
): Promise<ConvertResult | Unfit> {
  const { from, to, options } = request
  const progress = new ProgressReport(options)
  const bytesTotal = (await stat(conversion.path)).size
  const counts = (fraction: number, rows: number) => ({
    from: from.label,
    to: to.label,
    rowsIn: rows,
    rowsOut: rows,
    bytesRead: Math.round(bytesTotal * fraction),
    bytesTotal,
  })
  const outcome = await conversion.run(fraction => progress.tell(() => counts(fraction, 0)))
  if ('reason' in outcome) return outcome
  const { rowCount: rowsOut } = outcome
  await progress.end(counts(1, rowsOut))
  const rowsIn = Math.max(rowsOut, outcome.rowsRead ?? rowsOut)
  const { elapsedMs } = progress
  const plan = planOf(request, 'duckdb', ONE_QUERY, conversion.schema)
  return {
    from: from.label,
    to: to.label,
    engine: 'duckdb',
    rowsIn,
    rowsOut,
    rowsLeftOut: rowsIn - rowsOut,
    rowsAdded: 0,
    rowsSkipped: 0,
    rowsFailed: 0,
    bytesRead: bytesTotal,
    bytesWritten: outcome.bytesWritten,
    retries: 0,
    elapsedMs,
    rowsPerSecond: rate(rowsIn, elapsedMs),
    schema: conversion.schema,
    warnings: plan.losses,
    plan,
  }
}

/** What the first rows show; undefined of a source that this would use up. */
async function schemaOf(
  target: ReadTarget,
  { from, options, infersTypes }: ConversionRequest,
): Promise<Schema | undefined> {
  if (![...REPLAYABLE, 'postgres'].includes(from.entry.id)) return undefined
  const { signal } = options
  const reader = await openIterable(target, { ...options.read, ...(infersTypes ? { cast: true } : {}), signal })
  try {
    return reader.schema
  } finally {
    await reader.close()
  }
}

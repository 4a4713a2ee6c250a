/** Plans a conversion, then executes the plan. */
import type { Schema } from '../core/schema.ts'
import { openIterable, type ReadTarget, type WriteTarget } from '../open.ts'
import type { ConvertOptions } from './options.ts'
import { type ConversionPlan, type ConversionRequest, planOf, resolveConversion } from './plan.ts'
import type { ConvertResult } from './result.ts'
import { convertRows } from './row-road.ts'

export async function runConversion(
  from: ReadTarget,
  to: WriteTarget,
  options: ConvertOptions,
): Promise<ConvertResult> {
  const request = await resolveConversion(from, to, options)
  options.signal?.throwIfAborted()
  return convertRows(from, to, request, await planOf(request))
}

export async function plan(from: ReadTarget, to: WriteTarget, options: ConvertOptions): Promise<ConversionPlan> {
  const request = await resolveConversion(from, to, options)
  return planOf(request, await schemaOf(from, request))
}

/** What the first rows show; undefined of a source that this would use up. */
async function schemaOf(
  target: ReadTarget,
  { from, options, infersTypes }: ConversionRequest,
): Promise<Schema | undefined> {
  if (!['file', 'memory', 's3', 'http', 'postgres'].includes(from.entry.id)) return undefined
  const { signal } = options
  const reader = await openIterable(target, { ...options.read, ...(infersTypes ? { cast: true } : {}), signal })
  try {
    return reader.schema
  } finally {
    await reader.close()
  }
}

/** `convert`: one target or many. */
import type { BulkConvertOptions, BulkItem } from '../../convert/bulk-options.ts'
import { bulkConvert, convert, planConversion } from '../../convert/index.ts'
import type { ConversionPlan } from '../../convert/plan.ts'
import type { ConvertResult } from '../../convert/result.ts'
import { type Call, PartialFailure } from '../declare.ts'
import { convertOptions } from '../flags.ts'
import { bytes, duration, ProgressLines } from '../progress.ts'
import { jsonText } from '../show.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const to = positionals.at(-1)!
  const sources = positionals.slice(0, -1)
  const options = { ...convertOptions(flags), signal }
  const progress = new ProgressLines(terminal)
  // What is told of a conversion to standard output must not stand in it.
  const tell = async (text: string) => (to === '-' ? terminal.note(text) : terminal.out(`${text}\n`))
  if (sources.length === 1 && !/\{[a-z]+\}/.test(to)) {
    const [from] = sources as [string]
    if (flags.switch('explain') === true || flags.switch('dry-run') === true) {
      const plan = await planConversion(from, to, options)
      await tell(terminal.json ? jsonText(plan) : describe(plan))
      return
    }
    try {
      const result = await convert(from, to, { ...options, onProgress: one => progress.one(one) })
      progress.clear()
      if (terminal.json) await tell(jsonText(result))
      else terminal.note(summary(result))
      for (const warning of result.warnings) terminal.note(`note: ${warning}`)
    } finally {
      progress.clear()
    }
    return
  }
  await many(sources, to, { positionals, flags, terminal, signal }, options, progress)
}

async function many(
  sources: readonly string[],
  to: string,
  { flags, terminal }: Call,
  options: Omit<BulkConvertOptions, 'onProgress'>,
  progress: ProgressLines,
): Promise<void> {
  const bulk = bulkConvert(sources.length === 1 ? sources[0]! : sources, to, {
    ...options,
    concurrency: flags.number('concurrency'),
    workers: flags.number('workers'),
    resume: flags.text('resume') ?? flags.switch('resume'),
    stopOnError: flags.switch('stop-on-error'),
    dryRun: flags.switch('dry-run') === true || flags.switch('explain') === true,
    onProgress: all => progress.many(all),
  })
  let failed = 0
  try {
    for await (const item of bulk) {
      progress.clear()
      if (item.status === 'failed' || item.status === 'cancelled') failed++
      if (terminal.json) await terminal.out(`${jsonText(item)}\n`)
      else terminal.note(line(item))
    }
  } finally {
    progress.clear()
  }
  const { succeeded, rowsOut, elapsedMs } = await bulk
  terminal.note(
    `${succeeded.length} done${failed === 0 ? '' : `, ${failed} not`}; ${rowsOut.toLocaleString('en')} rows in ${duration(elapsedMs)}`,
  )
  if (failed > 0) throw new PartialFailure()
}

function line({ from, to, status, error, result, plan }: BulkItem): string {
  if (status === 'failed') return error instanceof Error ? error.message : `${from}: ${error}`
  const rows = result === undefined ? '' : `, ${result.rowsOut.toLocaleString('en')} rows`
  const engine = plan === undefined ? '' : ` by ${plan.engine}`
  return `${status}: ${from} → ${to}${rows}${engine}`
}

function summary({
  from,
  to,
  rowsOut,
  rowsLeftOut,
  rowsSkipped,
  rowsFailed,
  bytesRead,
  elapsedMs,
  engine,
}: ConvertResult): string {
  const count = (number: number, what: string) => (number === 0 ? '' : `, ${number.toLocaleString('en')} ${what}`)
  return `${from} → ${to}: ${rowsOut.toLocaleString('en')} rows${count(rowsLeftOut, 'left out')}${count(rowsSkipped, 'skipped')}${count(
    rowsFailed,
    'failed',
  )}; ${bytes(bytesRead)} in ${duration(elapsedMs)}, by ${engine}`
}

function describe({ from, to, engine, reasons, spools, losses, infersTypes }: ConversionPlan): string {
  const end = ({ label, format, codecs }: ConversionPlan['from']) =>
    `${label} (${[format ?? 'rows', ...codecs].join(', ')})`
  return [
    `from     ${end(from)}`,
    `to       ${end(to)}`,
    `engine   ${engine}`,
    ...reasons.map(reason => `because  ${reason}`),
    ...(infersTypes ? ['types    of text columns are inferred, as far as nothing is lost'] : []),
    ...spools.map(spool => `temp     ${spool}`),
    ...losses.map(loss => `note     ${loss}`),
  ].join('\n')
}

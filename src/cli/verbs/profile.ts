/** `profile`: what is in a target, as a page to look at or as JSON. */
import { toHtmlReport } from '../../report/index.ts'
import { writeText } from '../../report/write-text.ts'
import { type Call, UsageError } from '../declare.ts'
import { profileOf } from '../profiling.ts'
import { bytes, duration } from '../progress.ts'

export async function run(call: Call): Promise<void> {
  const { flags, terminal, signal } = call
  const out = flags.text('out')
  if (out === undefined && !terminal.json) {
    throw new UsageError(
      'profile needs a place for the page',
      'say -o report.html, -o - for standard output, or --json',
    )
  }
  const found = await profileOf(call)
  const text = terminal.json ? `${JSON.stringify(found)}\n` : await toHtmlReport(found, { title: flags.text('title') })
  if (out === undefined || out === '-') await terminal.out(text)
  else {
    await writeText(out, text, signal)
    terminal.note(
      `${found.source.label} → ${out}: ${found.rows.toLocaleString('en')} rows, ${found.columns.length} columns; ${bytes(found.source.bytesRead)} in ${duration(found.elapsedMs)}`,
    )
  }
  if (!found.scope.complete) terminal.note(found.scope.note)
}

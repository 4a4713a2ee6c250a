/** `formats`: what can be read and written. */
import { capabilities } from '../../capabilities.ts'
import type { Call } from '../declare.ts'
import { showRows } from '../show.ts'

export async function run({ terminal }: Call): Promise<void> {
  const { formats, codecs, sources } = capabilities()
  const rows = [
    ...formats.map(entry => ({ kind: 'format', ...entry })),
    ...codecs.map(entry => ({ kind: 'codec', ...entry })),
    ...sources.map(entry => ({ kind: 'place', ...entry })),
  ]
  if (terminal.json) {
    await terminal.out(`${JSON.stringify(rows)}\n`)
    return
  }
  const yes = (flag: boolean) => (flag ? 'yes' : '')
  const lines = rows.map(({ kind, id, title, reads, writes }) => ({
    kind,
    id,
    reads: yes(reads),
    writes: yes(writes),
    title,
  }))
  await showRows(lines, { columns: ['kind', 'id', 'reads', 'writes', 'title'] }, terminal)
}

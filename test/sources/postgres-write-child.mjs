/**
 * Writes to a table through the library as a process of its own, for tests that kill it:
 *
 *     node postgres-write-child.mjs <folder of the compiled library> <JSON of { url, options, count, killAt?, leavesOut? }>
 *
 * With `killAt` the process kills itself by SIGKILL when it has written so many rows.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [library, task] = [process.argv[2], JSON.parse(process.argv[3])]
const { openTable } = await import(pathToFileURL(join(library, 'sources/postgres/sink.js')).href)
const { signal } = new AbortController()
const sink = openTable(task.url, { signal, append: false, options: task.options })
const writer = await sink.openWriter({
  label: sink.label,
  signal,
  appending: false,
  mayLeaveOut: task.leavesOut,
  onBadRecord(error) {
    throw error
  },
})
for (let id = 1; id <= task.count; id++) {
  await writer.write([{ id, name: `row ${id}` }])
  if (id === task.killAt) process.kill(process.pid, 'SIGKILL')
}
await writer.close()

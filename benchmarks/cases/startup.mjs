// How long the command line takes to start, against Node with nothing to do: whole processes, in alternation, medians.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = process.env.OPEN_ITERABLE_MAIN ?? fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const rounds = Number(process.argv[2] ?? 15)

const folder = mkdtempSync(join(tmpdir(), 'open-iterable-startup-'))
const file = join(folder, 'people.csv')
writeFileSync(file, `id,name\n${'1,Ada\n'.repeat(100)}`)
const commands = {
  'node -e 0': ['-e', '0'],
  '--version': [main, '--version'],
  '--help': [main, '--help'],
  head: [main, 'head', file],
}
const times = Object.fromEntries(Object.keys(commands).map(name => [name, []]))
try {
  for (let round = -2; round < rounds; round++) {
    for (const [name, words] of Object.entries(commands)) {
      const start = process.hrtime.bigint()
      const { status, stderr } = spawnSync(process.execPath, words)
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`)
      // The first rounds fill the caches.
      if (round >= 0) times[name].push(Number(process.hrtime.bigint() - start) / 1e6)
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
const median = list => list.sort((a, b) => a - b)[list.length >> 1]
const base = median(times['node -e 0'])
for (const [name, list] of Object.entries(times)) {
  const own = median(list)
  console.log(`${name.padEnd(10)} ${own.toFixed(1).padStart(7)} ms  ${(own / base).toFixed(2)} ×`)
}

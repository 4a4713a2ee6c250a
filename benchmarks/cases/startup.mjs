/** How long the command line takes to start, against Node with nothing to do: whole processes, in alternation. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatRatio } from '../lib/report.mjs'
import { median } from '../lib/statistics.mjs'
import { subjectFolder } from '../lib/subject.mjs'

/** These fill the caches. */
const WARM_ROUNDS = 2
const NOTHING = 'node -e 0'

/** Nothing of it runs in the process that is measured. */
export const variants = {}

export async function run({ report, rounds }) {
  const folder = mkdtempSync(join(tmpdir(), 'open-iterable-startup-'))
  try {
    const file = join(folder, 'people.csv')
    writeFileSync(file, `id,name\n${'1,Ada\n'.repeat(100)}`)
    const times = timeCommands(
      {
        [NOTHING]: { words: ['-e', '0'], says: /^$/ },
        'open-iterable --version': { words: ['--version'], says: /\d+\.\d+\.\d+/ },
        'open-iterable --help': { words: ['--help'], says: /convert/ },
        'open-iterable head people.csv': { words: ['head', file], says: /Ada/ },
      },
      rounds * 5,
    )
    const base = median(times[NOTHING])
    report.table(
      'startup: whole processes',
      ['command', 'ms', 'min–max', `× ${NOTHING}`],
      Object.entries(times).map(([name, list]) => [
        name,
        median(list).toFixed(1),
        `${Math.min(...list).toFixed(0)}–${Math.max(...list).toFixed(0)}`,
        formatRatio(median(list) / base),
      ]),
    )
    report.chart({
      kind: 'bars',
      file: 'startup.svg',
      title: 'Start of the command line, whole processes',
      unit: ' ms',
      bars: Object.entries(times).map(([label, list]) => ({ label, value: median(list), own: label !== NOTHING })),
    })
    for (const [name, list] of Object.entries(times)) {
      if (name !== NOTHING) report.ratio(`${name} × ${NOTHING}`, median(list) / base, { better: 'lower' })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** @param {Record<string, { words: string[], says: RegExp }>} commands @returns {Record<string, number[]>} ms */
function timeCommands(commands, rounds) {
  const main = join(subjectFolder, 'cli', 'main.js')
  const times = Object.fromEntries(Object.keys(commands).map(name => [name, []]))
  for (let round = -WARM_ROUNDS; round < rounds; round++) {
    for (const [name, { words, says }] of Object.entries(commands)) {
      const start = process.hrtime.bigint()
      const { status, stdout, stderr } = spawnSync(process.execPath, name === NOTHING ? words : [main, ...words], {
        encoding: 'utf8',
      })
      const ms = Number(process.hrtime.bigint() - start) / 1e6
      if (status !== 0 || !says.test(stdout)) throw new Error(`${name} ended with ${status}: ${stdout}${stderr}`)
      if (round >= 0) times[name].push(ms)
    }
  }
  return times
}

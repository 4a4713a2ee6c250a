// Prints which codec passes which property, from a run of the contract suite: `node scripts/codec-matrix.mjs`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Property → the tests of test/contracts/codec.ts that hold it. */
const PROPERTIES = {
  whole: /gives back /,
  '1-byte chunks': /in chunks of 1 bytes/,
  members: /members that follow one another|a later member that is cut/,
  empty: /an empty input/,
  'cut anywhere': /cut off at any byte|comes before the cut/,
  'bit flips': /bit flipped|a flipped bit/,
  'trailing data': /data after the last member/,
  lent: /stay while the next is not asked for/,
  'early end': /given up/,
  abort: /is aborted/,
  'read-ahead': /read far ahead/,
  maxDecodedBytes: /maxDecodedBytes/,
  bombs: /a bomb/,
  writes: /: encode .*writes (?!by level)/,
  levels: /by level|refuses the level/,
}

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'codec-matrix-'))
const report = join(folder, 'report.json')
const run = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', 'test/codecs', '--reporter=json', `--outputFile=${report}`],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
)
const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
rmSync(folder, { recursive: true })

/** @type {Map<string, Map<string, { passed: number, failed: number }>>} */
const codecs = new Map()
for (const test of testResults.flatMap(file => file.assertionResults)) {
  const codec = /codec contract: (.+?): (?:decode|encode)/.exec(test.fullName)?.[1]
  if (codec === undefined) continue
  if (!codecs.has(codec)) codecs.set(codec, new Map())
  for (const [property, pattern] of Object.entries(PROPERTIES)) {
    if (!pattern.test(test.fullName)) continue
    const counts = codecs.get(codec)
    if (!counts.has(property)) counts.set(property, { passed: 0, failed: 0 })
    counts.get(property)[test.status === 'passed' ? 'passed' : 'failed']++
  }
}

const names = [...codecs.keys()].sort()
const cellOf = counts => {
  if (counts === undefined) return '–'
  return counts.failed > 0 ? `✗ ${counts.failed}/${counts.passed + counts.failed}` : `✓ ${counts.passed}`
}
const rows = [
  ['', ...names],
  ...Object.keys(PROPERTIES).map(property => [property, ...names.map(name => cellOf(codecs.get(name).get(property)))]),
]
const widths = rows[0].map((_, i) => Math.max(...rows.map(row => row[i].length)))
console.log(`node ${process.versions.node}: tests passed by each codec (–: the format has no such thing)\n`)
for (const row of rows)
  console.log(
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  )
process.exitCode = run.status ?? 1

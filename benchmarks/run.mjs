/**
 * Measures the library against its peers. See README.md beside this file.
 *
 *     node benchmarks/run.mjs [case …] [--quick] [--full] [--rounds n] [--shapes a,b] [--only variant,…] [--json file] [--check]
 */
import { existsSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Report } from './lib/report.mjs'
import { subjectFolder } from './lib/subject.mjs'

const CASES = [
  'csv',
  'typed',
  'csv-write',
  'jsonl',
  'jsonl-write',
  'json',
  'gzip',
  'codecs',
  'parquet',
  'parquet-write',
  'memory',
  'iterator',
  'pipeline',
  'concurrency',
  'retention',
  's3',
  'http',
  'postgres',
  'postgres-write',
  'nocodegen',
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    shapes: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
})
const unknown = positionals.filter(name => !CASES.includes(name))
if (unknown.length > 0) stop(`no case is named ${unknown.join(', ')}; there are ${CASES.join(', ')}`)
const rounds = Number(values.rounds ?? (values.quick ? 3 : 5))
if (!Number.isInteger(rounds) || rounds < 1) stop(`--rounds takes a whole number from 1, not ${values.rounds}`)
if (!existsSync(subjectFolder)) stop(`${subjectFolder} is not there: run npm run build first`)

const report = new Report()
const context = {
  report,
  quick: values.quick,
  full: values.full,
  rounds,
  megabytes: values.quick ? 25 : 100,
  /** The variants, or the shapes, that the command line leaves of those that a case has. */
  choose: createFilter(values.only),
  chooseShapes: createFilter(values.shapes),
}

report.printEnvironment()
for (const name of positionals.length > 0 ? positionals : CASES) {
  const startedAt = performance.now()
  const { run } = await import(`./cases/${name}.mjs`)
  report.heading(name)
  await run(context)
  report.note(`  (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`)
}
for (const name of [...context.choose.unmatched, ...context.chooseShapes.unmatched]) {
  report.fail(`nothing in these cases is named ${name}`)
}
report.printVerdict()
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
if (report.wrong.length > 0 || (values.check && report.targets.some(target => !target.met))) process.exitCode = 1

/**
 * Leaves of the names that a case has those in a list of the command line; without a list, all.
 * @param {string | undefined} list
 */
function createFilter(list) {
  const wanted = new Set(list?.split(',').map(name => name.trim()))
  const unmatched = new Set(wanted)
  const choose = names => {
    for (const name of names) unmatched.delete(name)
    return list === undefined ? names : names.filter(name => wanted.has(name))
  }
  return Object.assign(choose, { unmatched })
}

function stop(message) {
  console.error(message)
  process.exit(2)
}

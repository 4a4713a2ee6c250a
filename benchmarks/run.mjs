/**
 * Measures the library against its peers. See README.md beside this file.
 *
 *     node benchmarks/run.mjs [case …] [--quick] [--full] [--rounds n] [--shapes a,b] [--only variant,…] [--json file]
 *                             [--out folder] [--resume] [--render] [--check] [--write-floor] [--floor file] [--strict]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CASES } from './lib/cases.mjs'
import { checkFloor, raiseFloor } from './lib/floor.mjs'
import { ensurePeers } from './lib/peers.mjs'
import { writeBook } from './lib/render.mjs'
import { Report } from './lib/report.mjs'
import { readRecords, replaceFile, writeRecord } from './lib/results.mjs'
import { subjectFolder } from './lib/subject.mjs'

const RESUME_WITHIN_HOURS = 12

const folder = fileURLToPath(new URL('.', import.meta.url))
const { values, positionals } = parseCommandLine()
const unknown = positionals.filter(name => !CASES.includes(name))
if (unknown.length > 0) stop(`no case is named ${unknown.join(', ')}; there are ${CASES.join(', ')}`)
const rounds = Number(values.rounds ?? (values.quick ? 3 : 5))
if (!Number.isInteger(rounds) || rounds < 1) stop(`--rounds takes a whole number from 1, not ${values.rounds}`)

const mode = values.quick ? 'quick' : 'full'
const isPartial = values.shapes !== undefined || values.only !== undefined
const out = chooseOut()
const resultsFolder = out && join(out, 'results')
const options = { mode, rounds, megabytes: values.quick ? 25 : 100 }
const chosen = positionals.length > 0 ? positionals : CASES

// To render, nothing needs to be known of this machine.
const report = new Report(undefined, values.render ? {} : undefined)
if (values.render) {
  if (out === undefined) stop('--render takes what was measured before: not --shapes, not --only')
  const records = readRecords(resultsFolder, CASES)
  writeBook(out, records)
  holdFloor(records.filter(record => chosen.includes(record.case)))
} else {
  if (!existsSync(subjectFolder)) stop(`${subjectFolder} is not there: run npm run build first`)
  await measure()
  const { wrong, targets } = report
  if (wrong.length > 0 || (values.strict && targets.some(target => !target.met))) process.exitCode = 1
}

async function measure() {
  ensurePeers(line => report.note(line))
  const context = {
    ...options,
    report,
    quick: values.quick,
    full: values.full,
    /** The variants, or the shapes, that the command line leaves of those that a case has. */
    choose: createFilter(values.only),
    chooseShapes: createFilter(values.shapes),
  }
  report.printEnvironment()
  const records = []
  for (const name of chosen) {
    const earlier = values.resume && out && readRecords(resultsFolder, CASES).find(isOfThisRun(name))
    if (earlier) {
      report.heading(`${name}: measured at ${earlier.environment.date} already`)
      records.push(earlier)
      continue
    }
    const record = await runCase(name, context)
    if (record === undefined) continue
    records.push(record)
    if (out === undefined) continue
    writeRecord(resultsFolder, record)
    writeBook(out, readRecords(resultsFolder, CASES))
  }
  for (const name of [...context.choose.unmatched, ...context.chooseShapes.unmatched]) {
    report.complain(`nothing in these cases is named ${name}`)
  }
  report.printVerdict()
  if (out) console.log(`\nwritten: ${join(out, 'RESULTS.md')}`)
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
  holdFloor(records)
}

/** Its record; undefined where it ended with an error, which fails the run but not the cases after it. */
async function runCase(name, context) {
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  report.beginCase(name, options)
  try {
    const { run } = await import(`./cases/${name}.mjs`)
    await run(context)
    return report.endCase(seconds())
  } catch (error) {
    report.fail(`${name} ended with an error: ${error.stack}`)
    report.endCase(seconds())
    return undefined
  }
}

/** Writes the floor, or holds the ratios of these records against it. */
function holdFloor(records) {
  const path = values.floor ? resolve(values.floor) : join(folder, 'floor.json')
  const floor = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  if (values['write-floor']) {
    if (isPartial) stop('--write-floor takes whole cases: not --shapes, not --only')
    const raised = raiseFloor(records, floor, mode)
    replaceFile(path, `${JSON.stringify(raised, null, 2)}\n`)
    console.log(`\nthe floor (${mode}) has ${Object.keys(raised[mode].lines).length} lines: ${path}`)
    return
  }
  if (!values.check) return
  const { held, fallen, missing, unknown: fresh } = checkFloor(records, floor, mode, { isPartial })
  report.heading(`Floor (${mode})`)
  console.log(
    `${held} ratios held, ${fallen.length} fallen, ${missing.length} missing, ${fresh.length} not in the floor`,
  )
  for (const line of fallen) console.log(`  FALLEN   ${line}`)
  for (const line of missing) console.log(`  MISSING  ${line}`)
  if (held + fallen.length === 0)
    console.log('  nothing was held: the floor has no such lines (--write-floor records them)')
  if (fallen.length > 0 || missing.length > 0 || held === 0) process.exitCode = 1
}

/** Where results go: the committed book only for whole cases of full size, of the build in `dist/`. */
function chooseOut() {
  if (values.out !== undefined) return resolve(values.out)
  if (isPartial) return undefined
  if (process.env.OPEN_ITERABLE_DIST) return join(folder, 'data', 'other-build', mode)
  return values.quick ? join(folder, 'data', 'quick') : folder
}

function isOfThisRun(name) {
  const { commit, node } = report.environment
  const oldest = Date.now() - RESUME_WITHIN_HOURS * 3_600_000
  return record =>
    record.case === name &&
    record.wrong.length === 0 &&
    record.environment.commit === commit &&
    record.environment.node === node &&
    JSON.stringify(record.options) === JSON.stringify(options) &&
    Date.parse(`${record.environment.date.replace(' ', 'T')}Z`) > oldest
}

function parseCommandLine() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        shapes: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'string' },
        out: { type: 'string' },
        resume: { type: 'boolean', default: false },
        render: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        'write-floor': { type: 'boolean', default: false },
        floor: { type: 'string' },
        strict: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return stop(error.message)
  }
}

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

/** Records of the cases as files: one for each case, written when the case has ended. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param {string} folder
 * @param {import('./report.mjs').CaseRecord} record
 */
export function writeRecord(folder, record) {
  mkdirSync(folder, { recursive: true })
  replaceFile(join(folder, `${record.case}.json`), `${JSON.stringify(record, null, 2)}\n`)
}

/**
 * @param {string} folder
 * @param {string[]} order names of cases; a record of another name comes last
 * @returns {import('./report.mjs').CaseRecord[]}
 */
export function readRecords(folder, order) {
  if (!existsSync(folder)) return []
  const rank = name => (order.includes(name) ? order.indexOf(name) : order.length)
  return readdirSync(folder)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')))
    .sort((a, b) => rank(a.case) - rank(b.case))
}

/** Whole or not at all. */
export function replaceFile(path, text) {
  writeFileSync(`${path}.part`, text)
  renameSync(`${path}.part`, path)
}

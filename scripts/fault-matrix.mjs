// Prints what each fault of a network leads to, in each way to read or write an object of S3: rows, or an error's code, and
// how many retries it took. The cells are those of test/sources/s3-faults-matrix.test.ts, which asserts them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'open-iterable-'))
const file = join(folder, 'matrix.md')
try {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', 'test/sources/s3-faults-matrix'], {
    cwd: root,
    env: { ...process.env, FAULT_MATRIX: file },
    encoding: 'utf8',
  })
  if (status !== 0) {
    process.stdout.write(stdout)
    process.exitCode = 1
  } else process.stdout.write(aligned(readFileSync(file, 'utf8')))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** The table with columns of one width. */
function aligned(table) {
  const lines = table
    .trim()
    .split('\n')
    .map(line => line.slice(2, -2).split(' | '))
  const widths = lines[0].map((_, column) => Math.max(...lines.map(line => line[column].length)))
  const pad = (cell, column) => (cell === '---' ? '-'.repeat(widths[column]) : cell.padEnd(widths[column]))
  return lines.map(line => `| ${line.map(pad).join(' | ')} |\n`).join('')
}

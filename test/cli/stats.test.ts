/** `stats` and `profile`, run as a binary on real files. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ColumnProfile, Profile } from '../../src/index.ts'
import { cli } from './running.ts'

const DATA = resolve('node_modules/vega-datasets/data')
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-stats-'))
  await writeFile(join(folder, 'people.csv'), 'id,name\n1,Ada\n2,Ada\n3,\n')
  await writeFile(join(folder, 'people.csv.gz'), gzipSync('id,name\n1,Ada\n2,Ada\n3,\n'))
  await writeFile(join(folder, 'bad.csv'), 'a,b\n1,2\n3\n')
})
afterAll(() => rm(folder, { recursive: true }))
const here = (words: readonly string[], options = {}) => cli(words, { cwd: folder, ...options })

describe('stats', () => {
  it('shows a line for each column', async () => {
    const run = await here(['stats', 'people.csv.gz'], { env: { COLUMNS: '160' } })
    expect(run.out).toBe(
      [
        'column  type     shape  nulls  distinct  min  p25  p50  p75  max  mean  top',
        '──────  ───────  ─────  ─────  ────────  ───  ───  ───  ───  ───  ────  ─────',
        'id      integer  ███                  3  1    1.5    2  2.5  3       2',
        'name    text     █          1         1  Ada                 Ada        Ada 2',
        '',
      ].join('\n'),
    )
    expect([run.code, run.err]).toEqual([0, '3 rows\n'])
  })

  it('fits a narrow terminal, and says what it leaves out', async () => {
    const run = await here(['stats', join(DATA, 'birdstrikes.csv')], { env: { COLUMNS: '72' } })
    const lines = run.out.trimEnd().split('\n')
    expect(lines).toHaveLength(16)
    expect(lines.every(line => line.length <= 72)).toBe(true)
    expect(run.err).toContain('10,000 rows, 24 duplicates')
    expect(run.err).toContain('wider terminal')
  })

  it('says what is estimated, and what was not read', async () => {
    const run = await here(['stats', join(DATA, 'zipcodes.csv')], { env: { COLUMNS: '170' } })
    expect(run.out).toMatch(/zip_code .* ≈\d+/)
    expect(run.out).toMatch(/state .* 59 /)
    expect(run.err).toMatch(/≈ Estimated \(HyperLogLog\): off by at most 1\.6 %/)
    const some = await here(['stats', join(DATA, 'zipcodes.csv'), '-n', '100'])
    expect(some.err).toContain('Only the first 100 rows')
  })

  it('writes JSON for programs, a line for each column', async () => {
    const { out } = await here(['stats', '-', '-f', 'csv', '--json', '--columns', 'b,a'], { input: 'a,b\n1,x\n2,\n' })
    const columns = out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as ColumnProfile)
    expect(columns.map(({ name, type, nulls }) => [name, type, nulls])).toEqual([
      ['b', 'text', 1],
      ['a', 'integer', 0],
    ])
  })

  it('shows control characters, not what they do', async () => {
    const { out } = await here(['stats', '-', '-f', 'csv'], {
      input: 'a\n\u001b[31mred\n\u001b[31mred\n',
      env: { COLUMNS: '160' },
    })
    expect(out).not.toContain('\u001b')
    expect(out).toContain('\\u001b')
  })
})

describe('profile', () => {
  it('writes a page, whole or not at all', async () => {
    const run = await here(['profile', 'people.csv', '-o', 'report.html', '--title', '<People>'])
    expect([run.code, run.out]).toEqual([0, ''])
    expect(run.err).toMatch(/people\.csv → report\.html: 3 rows, 2 columns; 23 B in /)
    const html = await readFile(join(folder, 'report.html'), 'utf8')
    expect(html).toMatch(/^<!doctype html>/)
    expect(html).toContain('<h1>&lt;People&gt;</h1>')
    const failed = await here(['profile', 'bad.csv', '-o', 'bad.html'])
    expect(failed.code).toBe(1)
    expect(failed.err).toContain('bad.csv:3:1 [CSV_RAGGED_RECORD]')
    expect((await readdir(folder)).filter(name => name.includes('bad'))).toEqual(['bad.csv'])
  })

  it('writes it compressed where the name says so, and to standard output', async () => {
    await here(['profile', 'people.csv', '-o', 'report.html.gz'])
    const packed = gunzipSync(await readFile(join(folder, 'report.html.gz'))).toString()
    expect(packed).toMatch(/<\/html>\n$/)
    const { out, code } = await here(['profile', 'people.csv', '-o', '-'])
    expect([code, out.slice(0, 15), out.slice(-8)]).toEqual([0, '<!doctype html>', '</html>\n'])
  })

  it('gives the same as data', async () => {
    const { out } = await here(['profile', 'people.csv', '--json'])
    expect(JSON.parse(out) as Profile).toMatchObject({
      version: 1,
      rows: 3,
      columns: [{ name: 'id' }, { name: 'name' }],
    })
  })

  it('asks where to', async () => {
    const run = await here(['profile', 'people.csv'])
    expect(run.code).toBe(2)
    expect(run.err).toContain('-o report.html')
    const wrong = await here(['profile', 'people.csv', '-o', 'x.html', '--rows', 'few'])
    expect([wrong.code, wrong.err]).toEqual([2, 'open-iterable: --rows takes a number from 1, or all, not few\n'])
    const column = await here(['stats', 'people.csv', '--columns', 'nme'])
    expect([column.code, column.err]).toEqual([2, expect.stringContaining('did you mean "name"?')])
  })
})

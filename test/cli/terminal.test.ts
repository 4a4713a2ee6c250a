/** The command line in a terminal: widths, colours, progress, Ctrl-C. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cut, printable, widthOf } from '../../src/cli/printable.ts'
import { inTerminal } from './running.ts'

const ESCAPE = '\u001b['
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-terminal-'))
  await writeFile(join(folder, 'people.csv'), 'id,name,born\n1,Ada,1815-12-10\n2,"Grace, H",1906-12-09\n')
  const wide = [
    '漢字かな交じり文',
    '👩‍👩‍👧 family',
    '🇪🇺 flag',
    'e\u0301a\u0300 accents',
    'x'.repeat(100_000),
    '\u001b[31mred\u0007',
  ]
  await writeFile(
    join(folder, 'wide.jsonl'),
    wide.map((text, id) => `${JSON.stringify({ id, text, more: text })}\n`).join(''),
  )
})
afterAll(() => rm(folder, { recursive: true }))
const here = (words: readonly string[], options: Parameters<typeof inTerminal>[1] = {}) =>
  inTerminal(words, { cwd: folder, ...options })
const plain = (text: string) => stripVTControlCharacters(text.replaceAll('\r\n', '\n'))

describe('in a terminal', () => {
  it('has colours, and none with NO_COLOR, TERM=dumb or --no-color', async () => {
    const { out, code } = await here(['head', 'people.csv'])
    expect(code).toBe(0)
    expect(out).toContain(`${ESCAPE}1mid`)
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      expect((await here(['head', 'people.csv'], { env })).out).not.toContain(ESCAPE)
    }
    expect((await here(['head', 'people.csv', '--no-color'])).out).not.toContain(ESCAPE)
  })

  it.each([20, 33, 47, 80])('fits into %i columns, whatever the cells hold', async columns => {
    const { out } = await here(['head', 'wide.jsonl'], { columns })
    const lines = plain(out).split('\n')
    expect(lines.length).toBeGreaterThan(7)
    const table = lines.slice(0, 8)
    for (const line of table) expect(widthOf(line), line).toBeLessThanOrEqual(columns)
    expect(out).not.toContain('\u0007')
    expect(out).not.toContain(`${ESCAPE}31m`)
  })

  it('takes COLUMNS for the width', async () => {
    const { out } = await here(['head', 'wide.jsonl'], { env: { COLUMNS: '30' } })
    for (const line of plain(out).split('\n').slice(0, 8)) expect(widthOf(line)).toBeLessThanOrEqual(30)
  })

  it('shows a bar while it converts, and takes it away', async () => {
    const { out, code } = await here(['convert', 'people.csv', 'out.jsonl'], { columns: 60 })
    expect(code).toBe(0)
    expect(out).toMatch(/people\.csv █+ 100 %/)
    const after = out.slice(out.lastIndexOf('█'))
    expect(after).toContain(`\r${ESCAPE}J`)
    for (const line of plain(out).split(/[\r\n]+/)) expect(widthOf(line)).toBeLessThanOrEqual(60)
    expect(plain(out)).toMatch(/people\.csv → out\.jsonl: 2 rows/)
    const quiet = await here(['convert', 'people.csv', 'out.jsonl', '--quiet'])
    expect(quiet.out).toBe('')
  })

  it('shows a line for each of many, and what became of them', async () => {
    const { out } = await here(['convert', 'people.csv', 'wide.jsonl', 'all/{stem}.json'])
    expect(out).toMatch(/of 2 files/)
    expect(plain(out)).toMatch(/converted: people\.csv → all\/people\.json, 2 rows/)
    expect(plain(out)).toMatch(/2 done; 8 rows in /)
  })

  it('shows the rows of a query as a table, or as it is told', async () => {
    const { out } = await here(['sql', 'select id, name from people order by 1', 'people.csv'])
    expect(plain(out)).toMatch(/id {2}name\s*\n──/)
    const lines = await here(['sql', 'select 1 as a', '--to', 'jsonl'])
    expect(lines.out).toBe('{"a":1}\r\n')
  })

  it('ends on Ctrl-C with 130, and leaves nothing', async () => {
    const home = await mkdtemp(join(folder, 'interrupted-'))
    let typed = false
    const run = await here(['convert', '-', join(home, 'out.jsonl'), '-f', 'csv'], {
      input: 'a\n1\n',
      onOutput: child => {
        // The terminal has shown what was typed: the program runs, or will, and gets the signal either way.
        if (!typed) waitForTemp(home).then(() => child.stdin!.write('\u0003'))
        typed = true
      },
    })
    expect(run.code).toBe(130)
    expect(await readdir(home)).toEqual([])
  })
})

describe('Ctrl-C in a query', () => {
  it('interrupts it', async () => {
    let typed = false
    const query = 'select count(*) from people, range(100000) a(i), range(100000) b(j) where hash(i) = hash(j) + 1'
    const run = await here(['sql', query, 'people.csv'], {
      onOutput: (child, out) => {
        if (!typed && out.includes('copied to a temp file')) typed = child.stdin!.write('\u0003') || true
      },
    })
    expect(run.code).toBe(130)
    expect(plain(run.out)).not.toMatch(/error|at /i)
  })
})

/** Until the conversion has begun to write. */
async function waitForTemp(home: string): Promise<void> {
  while ((await readdir(home)).length === 0) await new Promise(setImmediate)
}

describe('text for a terminal', () => {
  it('has the widths of Unicode', () => {
    expect(['abc', '漢字', 'ｱ', 'e\u0301', '🇪🇺', '😀', '⌚', '✓'].map(widthOf)).toEqual([3, 4, 1, 1, 2, 2, 2, 1])
  })
  it('is cut between characters', () => {
    expect([cut('abcdef', 4), cut('漢字漢字', 4), cut('e\u0301e\u0301e\u0301', 2), cut('ab', 2)]).toEqual([
      'abc…',
      '漢…',
      'e\u0301…',
      'ab',
    ])
  })
  it('has no character that a terminal obeys', () => {
    expect(printable('a\u001b[31m\n\t\r\u0000\u202e\u009b')).toBe('a\\u001b[31m⏎⇥␍\\u0000\\u202e\\u009b')
  })
})

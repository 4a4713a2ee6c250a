/** Rows as tables of HTML and Markdown. */
import { describe, expect, it } from 'vitest'
import { CalendarDate, openIterable, toHTML, toMarkdown } from '../../src/index.ts'
import { HOSTILE, hostileRows } from './hostile.ts'

const rows = [
  { name: 'Ada', age: 36, born: new CalendarDate('1815-12-10') },
  { name: null, age: 85, tags: ['x', 1n] },
]

describe('toMarkdown', () => {
  it('makes a table, numbers to the right', async () => {
    expect(await toMarkdown(rows)).toBe(
      '| name | age | born | tags |\n| --- | ---: | --- | --- |\n| Ada | 36 | 1815-12-10 |  |\n|  | 85 |  | \\["x","1"\\] |\n',
    )
  })

  it('escapes what Markdown and HTML would make something of', async () => {
    const text = await toMarkdown([{ 'a|b': '*x* `y` [z](u) <b> & \\ $1$ ~s~ _t_\nnext' }])
    expect(text.split('\n')[0]).toBe('| a\\|b |')
    expect(text.split('\n')[2]).toBe(
      '| \\*x\\* \\`y\\` \\[z\\](u) &lt;b&gt; &amp; \\\\ \\$1\\$ \\~s\\~ \\_t\\_<br>next |',
    )
    const hostile = await toMarkdown(hostileRows())
    for (const character of ['<', '>', '\u202e', '\u0007', '\u001b']) {
      expect(hostile.replaceAll('<br>', '')).not.toContain(character)
    }
    expect(hostile.trimEnd().split('\n')).toHaveLength(2 + 2 * HOSTILE.length)
  })
})

describe('toHTML', () => {
  it('makes a table', async () => {
    expect(await toHTML([{ a: 1, b: '<i>' }])).toBe(
      '<table>\n<thead>\n<tr><th scope="col" align="right">a</th><th scope="col">b</th></tr>\n</thead>\n<tbody>\n' +
        '<tr><td align="right">1</td><td>&lt;i&gt;</td></tr>\n</tbody>\n</table>\n',
    )
  })

  it('has no tag that comes from the rows', async () => {
    const html = await toHTML(hostileRows())
    const tags = new Set([...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag))
    expect([...tags].sort()).toEqual(
      ['table', 'thead', 'tr', 'th', 'tbody', 'td']
        .flatMap(name => [`<${name === 'th' ? 'th scope="col"' : name}>`, `</${name}>`])
        .sort(),
    )
  })
})

describe('both', () => {
  it('take readers, with their columns, also without rows', async () => {
    const empty = await openIterable({ text: 'a,b\n', name: 'x.csv' })
    expect(await toMarkdown(empty)).toBe('| a | b |\n| --- | --- |\n')
    const arrays = openIterable({ text: '1,2\n', name: 'x.csv' }, { header: false })
    expect(await toMarkdown(arrays)).toMatch(/\n\| 1 \| 2 \|\n$/)
  })

  it('cut rows and cells, and say so', async () => {
    const many = Array.from({ length: 5 }, (_, n) => ({ n, t: '👍'.repeat(30) }))
    const text = await toMarkdown(many, { maxRows: 2, maxCharacters: 4, columns: ['t', 'n'] })
    expect(text).toBe('| t | n |\n| --- | ---: |\n| 👍👍👍… | 0 |\n| 👍👍👍… | 1 |\n\n… and 3 more rows\n')
    expect(await toHTML(many, { maxRows: 4 })).toContain('<td colspan="2">… and 1 more row</td>')
  })

  it('stop at an abort, with its reason', async () => {
    const reason = new Error('enough')
    await expect(toHTML(rows, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(toMarkdown(rows, { max: 1 } as never)).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' })
  })
})

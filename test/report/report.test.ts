/** The page of a report, by its text: what a browser makes of it is in `browser.test.ts`. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { profile, toHtmlReport } from '../../src/index.ts'
import { HOSTILE, hostileRows } from './hostile.ts'

const DATA = resolve('node_modules/vega-datasets/data')
const VOID = new Set(['meta', 'link', 'input', 'col', 'br', 'img'])

interface Tag {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
}

/**
 * The tags of a page; throws for what is not well formed: a tag that is not closed, an attribute without quotes, a
 * character that would have to be escaped. Stricter than a browser, so that what passes can be read in one way only.
 */
function tagsOf(html: string): Tag[] {
  const tags: Tag[] = []
  const open: string[] = []
  let at = html.indexOf('<html')
  while (at < html.length) {
    const next = html.indexOf('<', at)
    const text = html.slice(at, next < 0 ? undefined : next)
    if (/[>"]/.test(text)) throw new Error(`not escaped: ${text.slice(0, 200)}`)
    if (/&(?!(?:amp|lt|gt|quot|#39|#96);)/.test(text)) throw new Error(`not a reference: ${text.slice(0, 200)}`)
    if (next < 0) break
    const match = /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*(\/?)>/.exec(
      html.slice(next, next + 20_000),
    )
    if (match === null) throw new Error(`not a tag: ${html.slice(next, next + 200)}`)
    const [all, close, name = '', given = '', empty] = match
    at = next + all.length
    if (close === '/') {
      const last = open.pop()
      if (last !== name) throw new Error(`</${name}> closes <${last}> at ${html.slice(next - 100, next + 20)}`)
      continue
    }
    const attributes = new Map([...given.matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g)].map(one => [one[1]!, one[2] ?? '']))
    tags.push({ name, attributes })
    if (name === 'script' || name === 'style') {
      at = html.indexOf(`</${name}>`, at) + name.length + 3
      continue
    }
    if (empty !== '/' && !VOID.has(name)) open.push(name)
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join()}`)
  return tags
}

const pages: [string, () => Promise<string>][] = [
  ['movies.json', async () => toHtmlReport(await profile(`${DATA}/movies.json`))],
  ['zipcodes.csv', async () => toHtmlReport(await profile(`${DATA}/zipcodes.csv`))],
  ['birdstrikes.csv', async () => toHtmlReport(await profile(`${DATA}/birdstrikes.csv`, { rows: 500 }))],
  ['hostile rows', async () => toHtmlReport(await profile(hostileRows()), { title: HOSTILE[0] })],
  ['no rows', async () => toHtmlReport(await profile({ text: 'a,b\n', name: 'x.csv' }))],
  ['no columns', async () => toHtmlReport(await profile([]))],
]

describe.each(pages)('the page of %s', (_, make) => {
  it('is well formed, loads nothing, and says what it is', async () => {
    const html = await make()
    const tags = tagsOf(html)
    const names = tags.map(({ name }) => name)
    expect(names.filter(name => name === 'script' || name === 'style')).toEqual(['style', 'script'])
    expect(names.filter(name => /^(iframe|img|object|embed|base|form|video|audio|source)$/.test(name))).toEqual([])
    for (const { name, attributes } of tags) {
      for (const [attribute, value] of attributes) {
        expect(attribute).not.toMatch(/^(on|style$|src)/)
        if (attribute === 'href') expect(value).toMatch(name === 'link' ? /^data:,$/ : /^#/)
      }
    }
    const ids = tags.flatMap(({ attributes }) => attributes.get('id') ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    // What refers to something refers to what there is.
    for (const { attributes } of tags) {
      const target = attributes.get('aria-labelledby') ?? attributes.get('href')?.replace(/^#/, '')
      if (target !== undefined && target !== 'data:,') expect(ids).toContain(target)
    }
    for (const tag of tags.filter(({ name, attributes }) => name === 'svg' && attributes.get('role') === 'img')) {
      expect(tag.attributes.get('aria-label')).not.toBe('')
    }
  })

  it('has a policy that allows its own style and script, by their hashes, and nothing else', async () => {
    const html = await make()
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!
    const hashOf = (name: string) => {
      const text = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(html)![1]!
      return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    }
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hashOf('script')}`,
      `style-src ${hashOf('style')}`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ])
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<title>'))
  })
})

describe('a report', () => {
  it('is honest about what is not exact, and about what was not read', async () => {
    const exact = await toHtmlReport(await profile(`${DATA}/weather.csv`))
    expect(exact).not.toContain('class="about"')
    expect(exact).not.toContain('class="banner"')
    const estimated = await toHtmlReport(await profile(`${DATA}/zipcodes.csv`))
    expect(estimated).toContain('Estimated (HyperLogLog): off by at most 1.6 %')
    expect(estimated).toContain('Estimated (KLL sketch)')
    expect(estimated).toContain('Of a random sample of 20,000 of 42,049 rows')
    const sampled = await toHtmlReport(await profile(`${DATA}/zipcodes.csv`, { rows: 100 }))
    expect(sampled).toMatch(/class="banner"[^>]*>Only the first 100 rows: later ones may differ/)
  })

  it('has a card for each column, with its findings and their rows', async () => {
    const text = 'name,n\n" Ada",1\nBob,2\n"<b>\u0007",3\n'
    const html = await toHtmlReport(await profile({ text, name: 'x.csv' }), { title: 'People & more' })
    expect(html).toContain('<h1>People &amp; more</h1>')
    expect(html.match(/<article /g)).toHaveLength(2)
    expect(html).toContain('<td>row 1</td><td><code> Ada</code></td>')
    expect(html).toContain('<td>row 3</td><td><code>&lt;b&gt;\\u0007</code></td>')
  })

  it('of the same profile is the same, also after JSON', async () => {
    const found = await profile(`${DATA}/movies.json`)
    expect(await toHtmlReport(JSON.parse(JSON.stringify(found)))).toBe(await toHtmlReport(found))
  })

  it('refuses options that there are not', async () => {
    await expect(toHtmlReport(await profile([]), { titel: 'x' } as never)).rejects.toMatchObject({
      code: 'OPTION_UNKNOWN',
    })
  })
})

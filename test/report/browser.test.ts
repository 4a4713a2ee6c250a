/**
 * The report in a real Chromium: nothing goes wrong in it, nothing of the data runs, and it can be used by keyboard. Where
 * there is none, `report.test.ts` still looks at the page's text; `CHROMIUM_BIN` says that there has to be one.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { profile, toHtmlReport } from '../../src/index.ts'
import { HOSTILE, hostileRows } from './hostile.ts'

const DATA = resolve('node_modules/vega-datasets/data')
const ASKED = process.env.CHROMIUM_BIN
const BROWSERS = [...new Set([ASKED, '/usr/bin/chromium'])].filter(
  (path): path is string => path !== undefined && existsSync(path),
)
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Texts in the page whose contrast to what is behind them is less than WCAG AA asks for, 4.5. */
const LOW_CONTRASTS = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const parse = color => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const luminance = color =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
      const part = color[i] / 255
      return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    }, 0)
  const found = []
  for (const element of document.querySelectorAll('main *, .top-line *, footer *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim() !== '')
    if (!own || element.closest('svg, .unseen, [hidden], option')) continue
    let behind = element
    while (behind && parse(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement
    const pair = [getComputedStyle(element).color, getComputedStyle(behind || document.body).backgroundColor]
    const [less, more] = pair.map(color => luminance(parse(color)) + 0.05).sort((a, b) => a - b)
    if (more / less < 4.5) found.push(element.className + ': ' + element.textContent + ' ' + (more / less).toFixed(2))
  }
  return found
})()`

it('has the browser that CHROMIUM_BIN asks for', () => {
  if (ASKED !== undefined) expect(BROWSERS).toContain(ASKED)
  expect(BROWSERS.length).toBeLessThanOrEqual(2)
})

describe.each(BROWSERS.slice(0, 1))('in %s', executablePath => {
  let folder: string
  let browser: Browser
  const urls = new Map<string, string>()
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'open-iterable-report-'))
    browser = await chromium.launch({ executablePath, args: ARGUMENTS })
    const wide = Array.from({ length: 60 }, (_, r) =>
      Object.fromEntries(Array.from({ length: 500 }, (_, c) => [`col_${c}`, c % 3 === 0 ? `text ${r % 7}` : r * c])),
    )
    const reports = {
      movies: await toHtmlReport(await profile(`${DATA}/movies.json`)),
      zipcodes: await toHtmlReport(await profile(`${DATA}/zipcodes.csv`)),
      hostile: await toHtmlReport(await profile(hostileRows()), { title: HOSTILE[0] }),
      wide: await toHtmlReport(await profile(wide)),
    }
    for (const [name, html] of Object.entries(reports)) {
      const path = join(folder, `${name}.html`)
      await writeFile(path, html)
      urls.set(name, pathToFileURL(path).href)
    }
  })
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true })
  })

  /** A page with the report, and all that is told of it: errors, messages of the console, requests. */
  async function open(name: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<[Page, string[]]> {
    const page = await browser.newPage(options)
    const told: string[] = []
    page.on('console', message => told.push(`console: ${message.text()}`))
    page.on('pageerror', error => told.push(`error: ${error.message}`))
    page.on('dialog', dialog => {
      told.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', request => {
      if (request.url() !== urls.get(name) && request.url() !== 'data:,') told.push(`request: ${request.url()}`)
    })
    await page.goto(urls.get(name)!)
    await page.waitForSelector('[data-ready]', { state: 'attached' })
    return [page, told]
  }
  const shown = (page: Page) => page.locator('.card:not([hidden]) h3').allTextContents()

  it.each(['movies', 'zipcodes', 'hostile', 'wide'])('shows %s without an error, and asks for nothing', async name => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const [page, told] = await open(name, { colorScheme })
      await page.evaluate('window.scrollTo(0, document.body.scrollHeight)')
      expect(told).toEqual([])
      await page.close()
    }
  })

  it('keeps what the data holds as text', async () => {
    const [page, told] = await open('hostile')
    expect(await page.title()).toBe(HOSTILE[0])
    // Nothing but what the page is made of.
    const names = await page.evaluate<string[]>(
      `[...new Set([...document.querySelectorAll('*')].map(one => one.localName))]`,
    )
    for (const name of ['iframe', 'img', 'form', 'base', 'math', 'textarea', 'plaintext', 'template']) {
      expect(names).not.toContain(name)
    }
    expect(await page.locator('script').count()).toBe(1)
    expect(await page.locator('link, meta[http-equiv=refresh]').count()).toBe(1)
    const visible = (text: string) =>
      text.replace(/[\u202e\u2066]|\p{Cc}/gu, one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
    expect(await shown(page)).toEqual(HOSTILE.map(visible))
    const values = await page.locator('.card').first().locator('.value').allTextContents()
    expect(values.length).toBe(8)
    for (const value of values) expect(HOSTILE.map(visible)).toContain(value)
    // Also after all has been opened, hovered and clicked.
    await page.evaluate(`for (const one of document.querySelectorAll('summary')) one.click()`)
    await page.locator('.value').first().hover()
    await page.fill('#search', '<script>')
    expect(await shown(page)).toContain(HOSTILE[0])
    expect(told).toEqual([])
    expect(await page.title()).toBe(HOSTILE[0])
    await page.close()
  })

  it('does not run what is put into it later either', async () => {
    const [page, told] = await open('movies')
    await page.evaluate(`
      document.body.insertAdjacentHTML('beforeend', '<img src="https://example.com/x.png" onerror="document.title=1">')
      const script = document.createElement('script')
      script.textContent = 'document.title = "hacked"'
      document.body.append(script)`)
    await expect.poll(() => told.filter(line => /Content Security Policy/.test(line)).length).toBeGreaterThan(1)
    expect(await page.title()).toBe('movies.json')
    await page.close()
  })

  it('searches, filters and sorts', async () => {
    const [page] = await open('movies')
    expect(await shown(page)).toHaveLength(16)
    await page.fill('#search', 'gross')
    expect(await shown(page)).toEqual(['US Gross', 'Worldwide Gross'])
    expect(await page.textContent('#status')).toBe('2 of 16 columns')
    await page.press('#search', 'Escape')
    await page.check('[name=group][value=warnings]')
    expect(await shown(page)).toEqual(['Title'])
    await page.check('[name=group][value=all]')
    await page.selectOption('#order', 'nulls')
    expect((await shown(page)).slice(0, 3)).toEqual(['US DVD Sales', 'Running Time min', 'Director'])
    expect((await page.locator('#index .name').allTextContents())[0]).toBe('US DVD Sales')
    await page.selectOption('#order', 'file')
    expect((await shown(page))[0]).toBe('Title')
    await page.fill('#search', 'no such column')
    expect(await page.isVisible('#nothing')).toBe(true)
    // A link to a card that is filtered out brings it back.
    await page.locator('.look a').first().click()
    expect(await page.evaluate('document.activeElement.id')).toBe('c0')
    await page.close()
  })

  it('can be used by keyboard', async () => {
    const [page] = await open('movies')
    const active = () =>
      page.evaluate(`document.activeElement.id || document.activeElement.className || document.activeElement.localName`)
    await page.keyboard.press('Tab')
    expect(await active()).toBe('skip')
    await page.keyboard.press('Enter')
    expect(await active()).toBe('columns')
    await page.keyboard.press('/')
    expect(await active()).toBe('search')
    await page.keyboard.type('rating')
    expect(await shown(page)).toEqual(['MPAA Rating', 'Rotten Tomatoes Rating', 'IMDB Rating'])
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate('document.activeElement.value')).toBe('number')
    expect(await shown(page)).toEqual(['Rotten Tomatoes Rating', 'IMDB Rating'])
    await page.keyboard.press('Tab')
    expect(await active()).toBe('order')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await active()).toBe('c13')
    // What has the focus can be seen to have it.
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).not.toBe('none')
    await page.close()
  })

  it('is light or dark as the system is, or as it is told', async () => {
    const [page] = await open('movies', { colorScheme: 'dark' })
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const dark = await background()
    await page.click('#theme')
    expect(await page.textContent('#theme')).toBe('Theme: light')
    const light = await background()
    expect(light).not.toBe(dark)
    await page.click('#theme')
    expect(await background()).toBe(dark)
    await page.reload()
    expect(await page.textContent('#theme')).toBe('Theme: dark')
    await page.close()
  })

  it.each(['light', 'dark'] as const)('has contrasts that can be read, %s', async colorScheme => {
    const [page] = await open('zipcodes', { colorScheme })
    const low = await page.evaluate(LOW_CONTRASTS)
    expect(low).toEqual([])
    await page.close()
  })

  it('fits narrow screens and paper', async () => {
    const [page] = await open('movies', { viewport: { width: 360, height: 700 } })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.isVisible('#search')).toBe(false)
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000)
    await page.close()
  })

  it('lays out only the columns that are looked at', async () => {
    const [page] = await open('wide')
    expect(await page.locator('.card').count()).toBe(500)
    const skipped = await page.evaluate(
      `[...document.querySelectorAll('.card h3')].filter(one => !one.checkVisibility({ contentVisibilityAuto: true })).length`,
    )
    expect(skipped).toBeGreaterThan(400)
    await page.fill('#search', 'col_49')
    expect(await shown(page)).toHaveLength(11)
    await page.close()
  })
})

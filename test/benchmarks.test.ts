/** The benchmark book: how it is rendered and checked. Nothing is measured here. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { CaseRecord, Chart, Floor } from '../benchmarks/lib/book.mjs'
import {
  CASES,
  checkFloor,
  drawChart,
  fitLine,
  growthExponent,
  raiseFloor,
  readRecords,
  relativeSpread,
  renderBook,
} from '../benchmarks/lib/book.mjs'

const BENCHMARKS = resolve(import.meta.dirname, '..', 'benchmarks')

const bars: Chart = {
  kind: 'bars',
  file: 'csv.svg',
  title: 'CSV → rows, × csv-parse & "more"',
  subtitle: 'a <subtitle>',
  unit: '×',
  bars: [
    { label: 'open-iterable', value: 15.04, low: 9.5, high: 21.3, own: true },
    { label: 'csv-parse', value: 1 },
  ],
}
const lines: Chart = {
  kind: 'lines',
  file: 'memory.svg',
  title: 'Memory',
  xLabel: 'MB',
  yLabel: 'peak, MB',
  logX: true,
  series: [
    { label: 'csv read', points: [10, 100, 500, 2000].map(x => ({ x, y: 66 })) },
    { label: 'csv copy', points: [10, 100, 500, 2000].map(x => ({ x, y: 66.2 })) },
  ],
  limit: { label: 'target', y: 90 },
}

function createRecord(name: string, changes: Partial<CaseRecord> = {}): CaseRecord {
  return {
    case: name,
    environment: {
      date: '2026-01-02 03:04',
      commit: '0123456789ab',
      version: '1.2.3',
      cpu: 'A processor',
      cores: 2,
      memoryGB: 16,
      os: 'linux 6.1.0 x64',
      node: '20.19.0',
      v8: '11.3',
      load: 0.1,
      peers: ['csv-parse 7.0.0'],
    },
    options: { mode: 'full', rounds: 3, megabytes: 100 },
    seconds: 61,
    sections: [
      { kind: 'table', title: 'csv: birdstrikes', columns: ['variant', 'a|b'], lines: [['open-iterable', '15.04']] },
      { kind: 'note', text: 'A note.' },
      { kind: 'chart', chart: bars },
    ],
    targets: [
      { label: 'mean, × csv-parse', value: 15.04, bound: 12, sign: '≥', unit: '×', met: true },
      { label: 'peak memory', value: 95, bound: 90, sign: '≤', unit: ' MB', met: false },
    ],
    headlines: [{ label: 'CSV by row, × csv-parse', value: 15.04 }],
    ratios: {
      'birdstrikes: open-iterable × csv-parse': { value: 20, noise: 0.1, better: 'higher' },
      'loop: cost × loop': { value: 1.2, noise: 0.25, better: 'lower' },
    },
    findings: [{ variant: 'a peer', message: 'csv, quoted: its rows are others' }],
    wrong: [],
    ...changes,
  }
}

/** Whether each element of an XML text is closed in order, its attributes quoted, and nothing is left unescaped. */
function expectWellFormed(xml: string): void {
  const open: string[] = []
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/gi,
    (_all, end, name, _attributes, empty) => {
      if (end) expect(open.pop()).toBe(name)
      else if (!empty) open.push(name)
      return ''
    },
  )
  expect(open).toEqual([])
  expect(rest).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot);)/)
}

describe('charts', () => {
  for (const chart of [bars, lines]) {
    it(`draws ${chart.kind} as well-formed SVG with every figure as text, always the same`, () => {
      const svg = drawChart(chart)
      expectWellFormed(svg.replace(/<style>[^<]*<\/style>/, ''))
      expect(svg).toBe(drawChart(structuredClone(chart)))
      expect(svg).toContain('prefers-color-scheme: dark')
      for (const { label } of chart.kind === 'bars' ? chart.bars : chart.series)
        expect(svg).toContain(`>${label}</text>`)
      expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    })
  }

  it('escapes what is in titles', () => {
    expect(drawChart(bars)).toContain('× csv-parse &amp; &quot;more&quot;')
    expect(drawChart(bars)).toContain('a &lt;subtitle&gt;')
  })

  it('puts labels of lines that end at the same height beside each other', () => {
    const heights = [...drawChart(lines).matchAll(/y="([\d.]+)">csv (?:read|copy)<\/text>/g)].map(match =>
      Number(match[1]),
    )
    expect(heights).toHaveLength(2)
    expect(Math.abs(heights[0]! - heights[1]!)).toBeGreaterThanOrEqual(15)
  })
})

describe('RESULTS.md', () => {
  const files = renderBook([createRecord('csv')])
  const text = files['RESULTS.md']!

  it('has environment, tables, targets, findings and charts of the records', () => {
    expect(Object.keys(files).sort()).toEqual(['RESULTS.md', 'charts/csv.svg', 'charts/overview.svg'])
    for (const part of [
      '1 of 2 are met; not met:',
      '| peak memory | ≤ 90 MB | 95.0 MB | **not met** |',
      '| mean, × csv-parse | ≥ 12× | 15.0× | met |',
      '- **a peer**, csv, quoted: its rows are others',
      'open-iterable 1.2.3, commit 0123456789ab',
      '2026-01-02 03:04 UTC, 2 minutes',
      'A processor, 2 cores',
      '20.19.0 (V8 11.3)',
      'csv-parse 7.0.0',
      '| variant | a\\|b |',
      '| open-iterable | 15.04 |',
      'A note.',
      '](charts/csv.svg)',
      '](charts/overview.svg)',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('tells environments apart where cases were run at different commits', () => {
    const other = createRecord('jsonl')
    other.environment = { ...other.environment, commit: 'ba9876543210' }
    const both = renderBook([createRecord('csv'), other])['RESULTS.md']!
    expect(both).toContain('Of csv:')
    expect(both).toContain('Of jsonl:')
  })

  it('shows results of ours that are wrong', () => {
    expect(renderBook([createRecord('csv', { wrong: ['csv, wide: 3 rows, not 4'] })])['RESULTS.md']).toContain(
      '## Wrong results\n\n- csv, wide: 3 rows, not 4',
    )
  })

  it('as committed is what the committed records render to', () => {
    const rendered = renderBook(readRecords(join(BENCHMARKS, 'results'), CASES))
    for (const [path, content] of Object.entries(rendered)) {
      expect(readFileSync(join(BENCHMARKS, path), 'utf8'), `${path}: node benchmarks/run.mjs --render writes it`).toBe(
        content,
      )
    }
    const charts = readdirSync(join(BENCHMARKS, 'charts')).map(name => `charts/${name}`)
    expect(charts.filter(path => rendered[path] === undefined)).toEqual([])
  })
})

describe('the floor', () => {
  const floor = raiseFloor([createRecord('csv')], {}, 'full')
  const withRatio = (id: string, value: number) => {
    const record = createRecord('csv')
    record.ratios[id]!.value = value
    return record
  }
  const speed = 'birdstrikes: open-iterable × csv-parse'
  const cost = 'loop: cost × loop'

  it('holds what is at the floor, above it, or below it by less than the noise', () => {
    for (const value of [20, 40, 18.01]) {
      expect(checkFloor([withRatio(speed, value)], floor, 'full')).toEqual({
        held: 2,
        fallen: [],
        missing: [],
        unknown: [],
      })
    }
    expect(checkFloor([withRatio(cost, 1.49)], floor, 'full').fallen).toEqual([])
  })

  it('names what is below it by more than the noise, and a cost that is above', () => {
    expect(checkFloor([withRatio(speed, 17.9)], floor, 'full').fallen).toEqual([
      'csv/birdstrikes: open-iterable × csv-parse: 17.90, floor 20.00 −10 %: at least 18.00',
    ])
    expect(checkFloor([withRatio(cost, 1.51)], floor, 'full').fallen).toEqual([
      'csv/loop: cost × loop: 1.51, floor 1.20 +25 %: at most 1.50',
    ])
  })

  it('names what it has and was not measured, unless parts were left out on purpose, and the other way round', () => {
    const record = createRecord('csv', { ratios: { fresh: { value: 1, noise: 0.1, better: 'higher' } } })
    expect(checkFloor([record], floor, 'full')).toEqual({
      held: 0,
      fallen: [],
      missing: [`csv/${speed}`, `csv/${cost}`],
      unknown: ['csv/fresh'],
    })
    expect(checkFloor([record], floor, 'full', { isPartial: true }).missing).toEqual([])
    expect(checkFloor([createRecord('jsonl', { ratios: {} })], floor, 'full').missing).toEqual([])
  })

  it('allows more on another major of Node, and keeps modes apart', () => {
    const record = withRatio(speed, 14.5)
    expect(checkFloor([record], floor, 'full').fallen).toHaveLength(1)
    record.environment.node = '24.1.0'
    expect(checkFloor([record], floor, 'full').fallen).toEqual([])
    expect(checkFloor([record], floor, 'quick').held).toBe(0)
  })

  it('is raised case by case', () => {
    const raised = raiseFloor([createRecord('jsonl'), withRatio(speed, 30)], floor, 'full')
    expect(raised.full?.lines[`csv/${speed}`]?.value).toBe(30)
    expect(raised.full?.lines[`jsonl/${speed}`]?.value).toBe(20)
    expect(Object.keys(raised.full!.lines)).toHaveLength(4)
    expect(raiseFloor([createRecord('csv')], raised, 'quick').full).toEqual(raised.full)
  })
})

it('has committed records that hold the committed floor', () => {
  const floor = JSON.parse(readFileSync(join(BENCHMARKS, 'floor.json'), 'utf8'))
  const { held, fallen } = checkFloor(readRecords(join(BENCHMARKS, 'results'), CASES), floor, 'full')
  expect(fallen).toEqual([])
  expect(held).toBeGreaterThan(0)
})

describe('statistics', () => {
  it('fits a straight line, and tells the power of a curve', () => {
    const points = [1, 2, 4, 8].map(x => ({ x, y: 3 * x + 2 }))
    expect(fitLine(points)).toEqual({ slope: 3, intercept: 2, r2: 1 })
    expect(growthExponent([1, 2, 4, 8].map(x => ({ x, y: 5 * x * x })))).toBeCloseTo(2, 10)
    expect(relativeSpread([9, 10, 11])).toBeCloseTo(0.1, 10)
  })
})

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'open-iterable-book-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'results'))
  writeFileSync(join(folder, 'results', 'csv.json'), JSON.stringify(createRecord('csv')))

  const render = (floor: Floor, ...words: string[]) => {
    const path = join(folder, 'floor.json')
    writeFileSync(path, JSON.stringify(floor))
    return spawnSync(
      process.execPath,
      [join(BENCHMARKS, 'run.mjs'), '--render', '--out', folder, '--floor', path, ...words],
      { encoding: 'utf8' },
    )
  }

  it('renders what was measured, measures nothing, and holds the floor by its exit code', () => {
    const held = render(raiseFloor([createRecord('csv')], {}, 'full'), '--check')
    expect(held.stderr).toBe('')
    expect(held.status).toBe(0)
    expect(held.stdout).toContain('2 ratios held, 0 fallen')
    expect(readFileSync(join(folder, 'RESULTS.md'), 'utf8')).toBe(renderBook([createRecord('csv')])['RESULTS.md'])

    const higher = createRecord('csv')
    higher.ratios['birdstrikes: open-iterable × csv-parse']!.value = 30
    const fallen = render(raiseFloor([higher], {}, 'full'), '--check')
    expect(fallen.status).toBe(1)
    expect(fallen.stdout).toContain('FALLEN   csv/birdstrikes: open-iterable × csv-parse: 20.00, floor 30.00')

    expect(render({}, '--check').status, 'a floor that holds nothing').toBe(1)
  })

  it('writes the floor', () => {
    expect(render({}, '--write-floor').status).toBe(0)
    const written = JSON.parse(readFileSync(join(folder, 'floor.json'), 'utf8'))
    expect(written).toEqual(raiseFloor([createRecord('csv')], {}, 'full'))
  })

  it('refuses what it does not know', () => {
    expect(render({}, 'no-such-case').status).toBe(2)
    expect(render({}, '--no-such-option').status).toBe(2)
  })
})

it('has a line in the table of benchmarks/README.md for each case, and no other', () => {
  const readme = readFileSync(join(BENCHMARKS, 'README.md'), 'utf8')
  const table = readme.slice(readme.indexOf('\n## Cases\n'), readme.indexOf('\n## How it is measured\n'))
  const named = [...table.matchAll(/^\| `([\w-]+)` +\|/gm)].map(match => match[1]!)
  expect([...named].sort()).toEqual([...CASES].sort())
  for (const name of named) expect(existsSync(join(BENCHMARKS, 'cases', `${name}.mjs`)), name).toBe(true)
})

/** RESULTS.md and its charts, from the records of the cases and from nothing else. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from './results.mjs'
import { drawChart, figure } from './svg.mjs'

/** @typedef {import('./report.mjs').CaseRecord} CaseRecord */

/**
 * The files of a book by their paths: RESULTS.md and the charts. The same records give the same text.
 * @param {CaseRecord[]} records in the order of the book
 * @returns {Record<string, string>}
 */
export function renderBook(records) {
  const overview = createOverview(records)
  const charts = [
    ...(overview === undefined ? [] : [overview]),
    ...records.flatMap(({ sections }) => sections.filter(({ kind }) => kind === 'chart').map(({ chart }) => chart)),
  ]
  const text = [
    '# Benchmark results',
    '',
    'Written by `npm run bench` from [`results/`](results); [README.md](README.md) says how to run it, how it is measured and how to read it.',
    'Ratios carry over from machine to machine, absolute figures do not.',
    '',
    ...(overview === undefined ? [] : [image(overview), '']),
    ...describeTargets(records),
    ...describeWrong(records),
    ...describeFindings(records),
    ...describeEnvironments(records),
    ...records.flatMap(describeCase),
  ].join('\n')
  return {
    'RESULTS.md': `${text.trimEnd()}\n`,
    ...Object.fromEntries(charts.map(chart => [`charts/${chart.file}`, drawChart(chart)])),
  }
}

/**
 * Writes a book, and removes charts that it no longer has.
 * @param {string} folder
 * @param {CaseRecord[]} records
 */
export function writeBook(folder, records) {
  const files = renderBook(records)
  const charts = join(folder, 'charts')
  mkdirSync(charts, { recursive: true })
  for (const [path, text] of Object.entries(files)) replaceFile(join(folder, path), text)
  if (!existsSync(charts)) return
  for (const name of readdirSync(charts)) {
    if (name.endsWith('.svg') && files[`charts/${name}`] === undefined) rmSync(join(charts, name))
  }
}

function createOverview(records) {
  const bars = records.flatMap(({ headlines }) => headlines).map(({ label, value }) => ({ label, value, own: true }))
  if (bars.length === 0) return undefined
  return {
    kind: 'bars',
    file: 'overview.svg',
    title: 'open-iterable beside its peers: how many times as fast',
    subtitle: `geometric means over the shapes of data; the dashed line is 1×, the peer (Node ${records[0].environment.node}, ${records[0].environment.cores} cores)`,
    unit: '×',
    bars,
    mark: 1,
  }
}

const image = ({ title, file }) => `![${title}](charts/${file})`

function describeTargets(records) {
  const targets = records.flatMap(record => record.targets.map(target => ({ ...target, case: record.case })))
  if (targets.length === 0) return []
  const missed = targets.filter(({ met }) => !met)
  return [
    '## Targets',
    '',
    `${targets.length - missed.length} of ${targets.length} are met${missed.length === 0 ? '.' : '; not met:'}`,
    '',
    ...(missed.length === 0 ? [] : [...renderTargets(missed), '']),
  ]
}

function renderTargets(targets) {
  return renderTable(
    ['target', 'asked', 'measured', ''],
    targets.map(({ label, value, bound, sign, unit, met }) => [
      label,
      `${sign} ${bound}${unit}`,
      `${figure(value)}${unit}`,
      met ? 'met' : '**not met**',
    ]),
  )
}

function describeWrong(records) {
  const wrong = records.flatMap(record => record.wrong)
  if (wrong.length === 0) return []
  return ['## Wrong results', '', ...wrong.map(message => `- ${message.split('\n')[0]}`), '']
}

function describeFindings(records) {
  const findings = records.flatMap(record => record.findings)
  if (findings.length === 0) return []
  return [
    '## Peers that give something wrong',
    '',
    'Each result is proven before it is timed, by a digest of all cells. These differ from the reference there, or failed, and were not timed:',
    '',
    ...findings.map(({ variant, message }) => `- **${variant}**, ${message}`),
    '',
  ]
}

/** Cases that were run at different times or places are told apart. */
function describeEnvironments(records) {
  const groups = new Map()
  for (const { case: name, environment, options, seconds } of records) {
    const { load, date, ...place } = environment
    const key = JSON.stringify([place, options])
    const group = groups.get(key) ?? { environment, options, cases: [], seconds: 0, from: date, to: date, load: 0 }
    group.cases.push(name)
    group.seconds += seconds
    if (date < group.from) group.from = date
    if (date > group.to) group.to = date
    group.load = Math.max(group.load, load)
    groups.set(key, group)
  }
  const lines = ['## Environment', '']
  for (const { environment, options, cases, seconds, from, to, load } of groups.values()) {
    const { cpu, cores, memoryGB, os, node, v8, commit, version, peers } = environment
    if (groups.size > 1) lines.push(`Of ${cases.join(', ')}:`, '')
    lines.push(
      ...renderTable(
        ['', ''],
        [
          ['measured', `open-iterable ${version}, commit ${commit}`],
          ['date', `${from === to ? from : `${from} to ${to}`} UTC, ${Math.ceil(seconds / 60)} minutes`],
          ['processor', `${cpu}, ${cores} cores`],
          ['memory', `${memoryGB} GB`],
          ['system', `${os}; load before the start ${load}`],
          ['Node', `${node} (V8 ${v8})`],
          [
            'rounds',
            `${options.rounds}, files of ${options.megabytes} MB${options.mode === 'quick' ? ' (a quick run)' : ''}`,
          ],
          ['peers', peers.join(', ')],
        ],
      ),
      '',
    )
  }
  return lines
}

function describeCase(record) {
  const lines = [`## ${record.case}`, '']
  const charts = record.sections.filter(({ kind }) => kind === 'chart')
  for (const { chart } of charts) lines.push(image(chart), '')
  for (const section of record.sections) {
    if (section.kind === 'table') {
      lines.push(`**${section.title}**`, '', ...renderTable(section.columns, section.lines), '')
    } else if (section.kind === 'note') lines.push(section.text, '')
  }
  if (record.targets.length > 0) lines.push(...renderTargets(record.targets), '')
  return lines
}

function renderTable(columns, lines) {
  const row = cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [row(columns), row(columns.map((_, i) => (i === 0 ? '---' : '---:'))), ...lines.map(row)]
}

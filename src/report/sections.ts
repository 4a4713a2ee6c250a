/** What a report says of the whole: overview, findings, correlations, missing values. */
import type { ColumnPairs, ColumnProfile, Finding, Missingness, Profile } from '../profile/types.ts'
import { markOf, symbolOf, TITLES } from './card.ts'
import { heatmap, shade, shareBar } from './charts.ts'
import { escapeHtml } from './escape.ts'
import { bytes, count, counted, percent } from './numbers.ts'

export function renderOverview(profile: Profile): string {
  const { rows, columns, source, memoryBytes, duplicates, scope, rowsLeftOut, columnsLeftOut } = profile
  const nulls = columns.reduce((sum, column) => sum + column.nulls, 0)
  const about = duplicates.accuracy.exact ? '' : '≈ '
  const packed = source.codecs.length > 0 ? `${source.codecs.join(', ')}, ` : ''
  /** `value` and `more` are HTML. */
  const tile = (name: string, value: string, more: string) =>
    `<div><dt>${name}</dt><dd><b>${value}</b><span>${more}</span></dd></div>`
  const tiles = [
    tile(
      'Rows',
      count(rows),
      rowsLeftOut > 0
        ? `${count(rowsLeftOut)} bad records left out`
        : scope.complete
          ? 'all of them'
          : 'the first ones',
    ),
    tile(
      'Columns',
      count(columns.length),
      columnsLeftOut > 0 ? `${count(columnsLeftOut)} more left out` : kindsOf(columns),
    ),
    tile(
      'Size',
      source.format === null ? '–' : bytes(source.bytesRead),
      `${escapeHtml(packed + (source.format ?? 'rows'))}${scope.complete ? '' : ', as far as read'}`,
    ),
    tile('In memory', `≈ ${bytes(memoryBytes)}`, 'as JavaScript objects'),
    tile(
      'Duplicate rows',
      `${about}${count(duplicates.rows)}`,
      duplicates.rows === 0 ? 'each row is there once' : percent(duplicates.rows, rows),
    ),
    tile(
      'Missing values',
      percent(nulls, rows * columns.length),
      nulls === 0 ? 'none' : `${count(nulls)} of ${count(rows * columns.length)}`,
    ),
  ]
  const notes = [
    ...(scope.complete ? [] : [scope.note]),
    ...(duplicates.accuracy.exact ? [] : [`Duplicate rows: ${duplicates.accuracy.note}`]),
  ]
  return (
    `<section aria-labelledby="overview"><h2 id="overview" class="unseen">Overview</h2>` +
    notes.map(note => `<p class="banner" role="note">${escapeHtml(note)}</p>`).join('') +
    `<dl class="tiles">${tiles.join('')}</dl></section>`
  )
}

function kindsOf(columns: readonly ColumnProfile[]): string {
  const counts = new Map<string, number>()
  for (const { type } of columns) counts.set(type, (counts.get(type) ?? 0) + 1)
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([type, times]) => `${times} ${type}`)
    .join(', ')
}

const MAX_LINKS = 12

/** What is worth a look, by what it is, with links to the columns. */
export function renderFindings(columns: readonly ColumnProfile[]): string {
  const byCode = new Map<Finding['code'], { index: number; name: string; finding: Finding }[]>()
  for (const [index, { name, findings }] of columns.entries()) {
    for (const finding of findings)
      byCode.set(finding.code, [...(byCode.get(finding.code) ?? []), { index, name, finding }])
  }
  if (byCode.size === 0) return ''
  const isWarning = (list: readonly { finding: Finding }[]) =>
    list.some(({ finding }) => finding.severity === 'warning')
  const lines = [...byCode]
    .sort(([, a], [, b]) => Number(isWarning(b)) - Number(isWarning(a)) || b.length - a.length)
    .map(([code, list]) => {
      const severity = isWarning(list) ? 'warning' : 'info'
      const links = list.map(
        ({ index, name, finding }) => `<a href="#c${index}">${named(name)}</a><small>${count(finding.count)}</small>`,
      )
      const items = (some: readonly string[]) => some.map(link => `<li>${link}</li>`).join('')
      const shown = `<ul>${items(links.slice(0, MAX_LINKS))}</ul>`
      const rest =
        links.length > MAX_LINKS
          ? `<details><summary>${counted(links.length - MAX_LINKS, 'more column')}</summary><ul>${items(links.slice(MAX_LINKS))}</ul></details>`
          : ''
      return (
        `<li class="${severity}"><p>${markOf(severity)}` +
        `<span class="unseen">${severity}: </span>${TITLES[code]}</p><div>${shown}${rest}</div></li>`
      )
    })
  return `<section class="panel" aria-labelledby="look"><h2 id="look">Worth a look</h2><ul class="look">${lines.join('')}</ul></section>`
}

const named = (name: string): string => (name === '' ? '<i>no name</i>' : escapeHtml(name))

/** The list of columns beside the cards. */
export function renderIndex(columns: readonly ColumnProfile[], rows: number): string {
  const items = columns.map(
    (column, i) =>
      `<li data-index="${i}"><a href="#c${i}"><span class="symbol" aria-hidden="true">${symbolOf(column)}</span><span class="name">${named(column.name)}</span>` +
      `${shareBar(rows === 0 ? 0 : column.count / rows, 'present')}</a></li>`,
  )
  return `<nav class="index" aria-label="Columns"><ol id="index">${items.join('')}</ol></nav>`
}

/** A table of so many columns can be read; of more there is a picture. */
const MAX_TABLE = 16
const MAX_STRONGEST = 10

export function renderPairs(pairs: ColumnPairs | undefined, id: string, title: string, explained: string): string {
  if (pairs === undefined || pairs.columns.length < 2) return ''
  const { columns, matrix, columnsLeftOut, accuracy } = pairs
  const left =
    columnsLeftOut > 0 ? ` Of the first ${columns.length} columns; ${count(columnsLeftOut)} more are left out.` : ''
  const isTable = columns.length <= MAX_TABLE
  const body = isTable ? pairsTable(columns, matrix, title) : heatmap(columns, matrix, title)
  const strongest = isTable ? '' : strongestPairs(columns, matrix)
  return (
    `<section class="panel" aria-labelledby="${id}"><h2 id="${id}">${title}</h2>` +
    `<p class="explained">${explained}${left} ${accuracy.exact ? '' : `<b>${escapeHtml(accuracy.note)}</b>`}</p>` +
    `<div class="scroll" tabindex="0" role="region" aria-label="${title}">${body}${strongest}</div>` +
    `<p class="legend" aria-hidden="true">−1 ${[-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5].map(step => `<i class="${shade(step / 5)}"></i>`).join('')} +1</p></section>`
  )
}

function pairsTable(columns: readonly string[], matrix: ColumnPairs['matrix'], title: string): string {
  const head = columns.map(name => `<th scope="col"><span>${named(name)}</span></th>`).join('')
  const lines = matrix.map((line, y) => {
    const cells = line.map((value, x) =>
      x === y
        ? '<td class="self" aria-label="itself"></td>'
        : `<td class="${shade(value)}">${value === null ? '–' : value.toFixed(2).replace('-', '−')}</td>`,
    )
    return `<tr><th scope="row">${named(columns[y]!)}</th>${cells.join('')}</tr>`
  })
  return `<table class="pairs"><caption class="unseen">${title}</caption><thead><tr><td></td>${head}</tr></thead><tbody>${lines.join('')}</tbody></table>`
}

function strongestPairs(columns: readonly string[], matrix: ColumnPairs['matrix']): string {
  const all = matrix.flatMap((line, y) =>
    line.slice(0, y).flatMap((value, x) => (value === null ? [] : [{ a: columns[x]!, b: columns[y]!, value }])),
  )
  const lines = all
    .sort((one, other) => Math.abs(other.value) - Math.abs(one.value))
    .slice(0, MAX_STRONGEST)
    .map(
      ({ a, b, value }) =>
        `<tr><th scope="row">${named(a)} · ${named(b)}</th><td class="${shade(value)}">${value.toFixed(2).replace('-', '−')}</td></tr>`,
    )
  return `<table class="strongest"><caption>The strongest</caption><tbody>${lines.join('')}</tbody></table>`
}

const MAX_PATTERN_COLUMNS = 24

/** Which columns are missing together: a line for each set of them. */
export function renderMissing(missingness: Missingness | undefined, { columns, rows }: Profile): string {
  if (missingness === undefined) return ''
  const { patterns, completeRows, accuracy, correlations } = missingness
  const involved = [...new Set(patterns.flatMap(pattern => pattern.columns))].sort(
    (a, b) => columns[b]!.nulls - columns[a]!.nulls || a - b,
  )
  const shown = involved.slice(0, MAX_PATTERN_COLUMNS).sort((a, b) => a - b)
  const most = Math.max(1, ...patterns.map(pattern => pattern.rows))
  const head = shown
    .map(i => `<th scope="col"><a href="#c${i}"><span>${named(columns[i]!.name)}</span></a></th>`)
    .join('')
  const lines = patterns.map(pattern => {
    const missing = new Set(pattern.columns)
    const cells = shown.map(i =>
      missing.has(i) ? '<td class="gone"><span class="unseen">missing</span></td>' : '<td class="there"></td>',
    )
    const others = pattern.columns.filter(i => !shown.includes(i)).length
    const more = others === 0 ? '' : ` + ${counted(others, 'column')}`
    return (
      `<tr>${cells.join('')}<td class="bar-cell">${shareBar(pattern.rows / most, 'missing')}</td>` +
      `<td class="times">${accuracy.exact ? '' : '≥ '}${count(pattern.rows)}</td><td class="percent">${percent(pattern.rows, rows)}${more}</td></tr>`
    )
  })
  const note = accuracy.exact ? '' : ` <b>${escapeHtml(accuracy.note)}</b>`
  const table =
    `<div class="scroll" tabindex="0" role="region" aria-label="Sets of missing values"><table class="patterns">` +
    `<caption class="unseen">Sets of columns that are missing in the same rows</caption>` +
    `<thead><tr>${head}<td></td><th scope="col">rows</th><th scope="col" class="unseen-head">share</th></tr></thead><tbody>${lines.join('')}</tbody></table></div>`
  return (
    `<section class="panel" aria-labelledby="missing"><h2 id="missing">Missing together</h2>` +
    `<p class="explained">${accuracy.exact ? '' : '≥ '}${counted(completeRows, 'row')} (${percent(completeRows, rows)}) ${completeRows === 1 ? 'has' : 'have'} a value in each column. ` +
    `The others, by which columns have none:${note}</p>${table}</section>` +
    renderPairs(
      correlations,
      'together',
      'Missing values that go together',
      'How far a missing value in one column goes with one in the other (phi coefficient): +1, always; −1, never.',
    )
  )
}

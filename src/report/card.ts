/** A column as a card. */
import type { ColumnProfile, DateSummary, Finding, NumberSummary, Profile } from '../profile/types.ts'
import { boxChart, histogramChart, shareBar } from './charts.ts'
import { escapeHtml } from './escape.ts'
import { brief, compact, count, counted, instant, number, percent } from './numbers.ts'

/** What a column is, in the groups that the page filters by. */
export function groupOf({ type, numbers }: ColumnProfile): 'number' | 'text' | 'date' | 'boolean' | 'other' {
  if (type === 'boolean') return 'boolean'
  if (type === 'date' || type === 'timestamp') return 'date'
  if (numbers !== undefined) return 'number'
  return type === 'text' ? 'text' : 'other'
}

/** A sign for each group, beside its name. */
const SYMBOLS = { number: '#', text: 'Aa', date: '◷', boolean: '◐', other: '{ }' } as const

export const symbolOf = (column: ColumnProfile): string => SYMBOLS[groupOf(column)]

export function renderCard(column: ColumnProfile, index: number, profile: Profile): string {
  const { name, nulls, distinct, findings, numbers, dates, lengths, type } = column
  const notes = new Set<string>()
  const approximate = (accuracy: { readonly exact: boolean; readonly note: string }): string => {
    if (accuracy.exact) return ''
    notes.add(accuracy.note)
    return '<abbr class="about" title="estimated">≈ </abbr>'
  }
  const warnings = findings.filter(({ severity }) => severity === 'warning').length
  const title = name === '' ? '<i>no name</i>' : escapeHtml(name)
  const parts = [
    `<header><h3 id="h${index}">${title}</h3><span class="type">${symbolOf(column)} <b>${escapeHtml(type)}</b></span>${badges(column, profile)}</header>`,
    `<div class="filled">${shareBar(profile.rows === 0 ? 0 : column.count / profile.rows, 'present')}</div>`,
    `<p class="facts"><span><b>${percent(nulls, profile.rows)}</b> missing${nulls === 0 ? '' : ` (${count(nulls)})`}</span>` +
      `<span>${approximate(distinct.accuracy)}<b>${count(distinct.count)}</b> distinct</span>` +
      `${column.empty > 0 ? `<span><b>${count(column.empty)}</b> empty</span>` : ''}</p>`,
  ]
  if (dates !== undefined) {
    const about = approximate(dates.accuracy)
    parts.push(histogramChart(dates.histogram, edgeLabel(dates), name))
    parts.push(
      list([
        ['earliest', escapeHtml(instant(dates.min))],
        ['median', about + escapeHtml(instant(dates.median))],
        ['latest', escapeHtml(instant(dates.max))],
      ]),
    )
  } else if (numbers !== undefined) parts.push(...numberParts(numbers, column, approximate(numbers.accuracy)))
  if (showsTop(column)) parts.push(topValues(column, approximate(column.top.accuracy)))
  else if (lengths !== undefined && column.min !== null && column.max !== null) {
    parts.push(
      list([
        ['first in order', cell(column.min)],
        ['last', cell(column.max)],
      ]),
    )
  }
  if (lengths !== undefined) {
    parts.push(lengthPart(lengths, lengths.min === lengths.max ? '' : approximate(lengths.accuracy)))
  }
  if (findings.length > 0) parts.push(`<ul class="findings">${findings.map(renderFinding).join('')}</ul>`)
  if (notes.size > 0) parts.push(`<p class="notes">≈ ${escapeHtml([...notes].join(' '))}</p>`)
  return (
    `<article class="card" id="c${index}" tabindex="-1" aria-labelledby="h${index}" data-index="${index}" data-name="${escapeHtml(name.toLowerCase())}" ` +
    `data-group="${groupOf(column)}" data-nulls="${nulls}" data-distinct="${distinct.count}" data-warnings="${warnings}">${parts.join('')}</article>`
  )
}

function badges({ nulls, distinct, count: values }: ColumnProfile, { rows }: Profile): string {
  // Only what is certain: of an estimate nobody knows.
  const isUnique = distinct.accuracy.exact && distinct.count === values && rows > 1 && nulls === 0
  return isUnique ? '<span class="badge" title="No value is there twice">unique</span>' : ''
}

function numberParts(numbers: NumberSummary, column: ColumnProfile, about: string): string[] {
  const { histogram, quantiles, min, max, mean, standardDeviation, count: values } = numbers
  const low = histogram.edges[0]!
  const high = histogram.edges.at(-1)!
  const byShare = new Map(quantiles.map(({ share, value }) => [share, value]))
  const isTwoSided = histogram.below + histogram.above > 0
  if (min === max) return [`<p class="only">Each number is ${exactOr(column.min, min)}.</p>`]
  const some = values === column.count ? '' : `<p class="only">Of the ${counted(values, 'value')} that are numbers:</p>`
  const rows = quantiles.map(({ value }) => `<td>${brief(value)}</td>`)
  return [
    some + histogramChart(histogram, compact, column.name) + (isTwoSided ? '' : boxChart(byShare, low, high)),
    list([
      ['min', exactOr(column.min, min)],
      ['mean', compact(mean)],
      ['std. dev.', standardDeviation === null ? '–' : compact(standardDeviation)],
      ['max', exactOr(column.max, max)],
    ]),
    `<table class="quantiles"><caption>${about}Quantiles</caption><thead><tr>${quantiles
      .map(({ share }) => `<th scope="col">${Math.round(share * 100)} %</th>`)
      .join('')}</tr></thead><tbody><tr>${rows.join('')}</tr></tbody></table>`,
  ]
}

/** Days where the intervals are days or more. */
function edgeLabel({ histogram: { edges } }: DateSummary): (edge: number) => string {
  const width = edges[1]! - edges[0]!
  return width >= 86_400_000 ? edge => instant(edge).slice(0, 10) : instant
}

/** All digits of an integer that is too large for a number. */
const exactOr = (text: string | null, value: number): string =>
  text !== null && /^-?\d{16,}$/.test(text) ? escapeHtml(text) : number(value)

const list = (pairs: readonly (readonly [name: string, html: string])[]): string =>
  `<dl>${pairs.map(([name, html]) => `<div><dt>${name}</dt><dd>${html}</dd></div>`).join('')}</dl>`

/** Of numbers and dates only if a value is there often enough to say something. */
function showsTop(column: ColumnProfile): boolean {
  const { top, numbers, dates, count: values, distinct } = column
  const [first] = top.values
  if (first === undefined) return false
  if (numbers === undefined && dates === undefined) return first.count > 1 || distinct.count <= 10
  return distinct.count <= 10 || first.count * 20 > values
}

function topValues({ top, count: values, distinct, numbers, dates }: ColumnProfile, about: string): string {
  const shown = top.values.slice(0, numbers === undefined && dates === undefined ? 8 : 5)
  // A bar of full length for one in ten thousand would say what is not so.
  const scale = Math.max(shown[0]!.count, values / 50)
  const lines = shown.map(({ value, count: times, atMost }) => {
    const shownTimes = atMost === times ? count(times) : `≥ ${count(times)}`
    const title = atMost === times ? '' : ` title="${count(times)} to ${count(atMost)}"`
    return (
      `<tr><th scope="row">${cell(value)}</th><td class="bar-cell">${shareBar(times / scale, 'top')}</td>` +
      `<td class="times"${title}>${shownTimes}</td><td class="percent">${percent(times, values)}</td></tr>`
    )
  })
  const shownCount = shown.reduce((sum, { count: times }) => sum + times, 0)
  const others = distinct.count - shown.length
  const rest =
    others > 0 && top.accuracy.exact
      ? `<tr class="rest"><th scope="row">${counted(others, 'other value')}</th><td></td><td class="times">${count(values - shownCount)}</td><td class="percent">${percent(values - shownCount, values)}</td></tr>`
      : ''
  const isAside = numbers !== undefined || dates !== undefined
  const table =
    `<table class="top"><caption>${about}Most frequent</caption><colgroup><col class="c-value"><col><col class="c-times"><col class="c-percent"></colgroup>` +
    `<thead class="unseen"><tr><th scope="col">value</th><th></th><th scope="col">rows</th><th scope="col">share</th></tr></thead>` +
    `<tbody>${lines.join('')}${rest}</tbody></table>`
  return isAside
    ? `<details class="lengths"><summary>Most frequent: ${escapeHtml(shown[0]!.value)}</summary>${table}</details>`
    : table
}

/** A value of the data. What is empty can be seen to be. */
const cell = (value: string): string =>
  value === '' ? '<i class="none">empty</i>' : `<span class="value">${escapeHtml(value)}</span>`

function lengthPart({ min, max, mean, quantiles, histogram }: NumberSummary, about: string): string {
  const median = quantiles.find(({ share }) => share === 0.5)!.value
  if (min === max) return `<p class="lengths">Each is ${counted(min, 'character')} long.</p>`
  return (
    `<details class="lengths"><summary>Lengths: ${number(min)} to ${number(max)} characters, ${about}median ${number(median)}</summary>` +
    `${histogramChart(histogram, number, 'lengths')}<p>mean ${number(mean)}</p></details>`
  )
}

function renderFinding({ code, severity, message, count: times, exact, samples }: Finding): string {
  const isAboutAll = code === 'only-nulls' || code === 'mostly-nulls' || code === 'constant'
  const amount = isAboutAll ? '' : ` <b>${exact ? '' : '≈ '}${counted(times, 'value')}</b>`
  const mark = `${markOf(severity)}<span class="unseen">${severity}: </span>`
  if (samples.length === 0)
    return `<li class="${severity}"><p>${mark}<span>${escapeHtml(message)}${amount}</span></p></li>`
  const lines = samples.map(
    ({ row, value }) => `<tr><td>row ${count(row)}</td><td><code>${escapeHtml(value)}</code></td></tr>`,
  )
  return (
    `<li class="${severity}"><details><summary>${mark}<span>${TITLES[code]}:${amount}</span></summary><p>${escapeHtml(message)}</p>` +
    `<table class="samples"><thead class="unseen"><tr><th scope="col">row</th><th scope="col">value</th></tr></thead><tbody>${lines.join('')}</tbody></table></details></li>`
  )
}

/** A sign before a finding; what it says is said in words as well. */
export const markOf = (severity: Finding['severity']): string =>
  `<span class="mark" aria-hidden="true">${severity === 'warning' ? '!' : 'i'}</span>`

/** What findings are called. */
export const TITLES: Record<Finding['code'], string> = {
  'surrounding-space': 'Surrounding white space',
  blank: 'Blank texts',
  'control-characters': 'Control characters',
  'replacement-characters': 'Replacement characters',
  'invisible-characters': 'Invisible characters',
  mojibake: 'Wrongly decoded text',
  'leading-zeros': 'Leading zeros',
  'formatted-numbers': 'Formatted numbers',
  'null-text': 'Texts that may mean “missing”',
  'mixed-types': 'Mixed types',
  'not-finite': 'Not finite',
  'future-dates': 'Dates in the future',
  outliers: 'Far out',
  'only-nulls': 'No values at all',
  'mostly-nulls': 'Mostly missing',
  constant: 'Constant',
}

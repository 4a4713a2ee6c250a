/** A profile as a page. */
import { createHash } from 'node:crypto'
import { checkOptions } from '../core/options.ts'
import type { Profile } from '../profile/types.ts'
import { groupOf, renderCard } from './card.ts'
import { escapeHtml } from './escape.ts'
import { counted, instant } from './numbers.ts'
import { REPORT_OPTIONS, type ReportOptions } from './options.ts'
import { SCRIPT } from './script.ts'
import { renderFindings, renderIndex, renderMissing, renderOverview, renderPairs } from './sections.ts'
import { STYLE } from './style.ts'

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing is loaded, and of scripts and styles only those run that are ours: what comes from the data never does. */
const POLICY = [
  "default-src 'none'",
  `script-src ${hashOf(SCRIPT)}`,
  `style-src ${hashOf(STYLE)}`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

const GROUPS = [
  ['number', 'numbers'],
  ['text', 'texts'],
  ['date', 'dates'],
  ['boolean', 'booleans'],
  ['other', 'other'],
] as const

export function renderReport(profile: Profile, options: ReportOptions): string {
  checkOptions(options as Record<string, unknown>, [REPORT_OPTIONS], 'toHtmlReport')
  const { columns, rows, source, createdAt, scope } = profile
  const title = escapeHtml(options.title ?? titleOf(source.label))
  const head =
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` +
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">\n` +
    `<meta name="viewport" content="width=device-width,initial-scale=1">\n<meta name="referrer" content="no-referrer">\n` +
    `<meta name="generator" content="open-iterable">\n<link rel="icon" href="data:,">\n<title>${title}</title>\n<style>${STYLE}</style>\n</head>\n`
  const place = `${counted(rows, 'row')}${scope.complete ? '' : ' read'}, ${counted(columns.length, 'column')} · ${escapeHtml(source.label)} · ${instant(createdAt).slice(0, 16)} UTC`
  return [
    `${head}<body>\n<a class="skip" href="#columns">Skip to the columns</a>\n<div class="page">`,
    `<header class="top-line"><div><h1>${title}</h1><p>${place}</p></div><button type="button" id="theme" title="Light, dark, or as the system has it">Theme: <b>auto</b></button></header>`,
    '<main>',
    renderOverview(profile),
    renderFindings(columns),
    renderControls(profile),
    '<div class="columns">',
    renderIndex(columns, rows),
    `<div><div class="cards" id="cards">`,
    `${columns.map((column, i) => renderCard(column, i, profile)).join('\n')}</div><p id="nothing" hidden>No column matches.</p></div></div>`,
    renderPairs(
      profile.correlations,
      'correlations',
      'Correlations',
      'How far two numeric columns go together on a straight line (Pearson), over the rows that have both.',
    ),
    renderMissing(profile.missingness, profile),
    '</main>',
    `<footer><p>${escapeHtml(scope.note)} What is marked ≈ is estimated, and says how far off it may be; all else is exact. Made by open-iterable.</p></footer>`,
    `</div>\n<script>${SCRIPT}</script>\n</body>\n</html>\n`,
  ]
    .filter(part => part !== '')
    .join('\n')
}

function renderControls({ columns }: Profile): string {
  const warned = columns.some(({ findings }) => findings.some(({ severity }) => severity === 'warning'))
  const present = GROUPS.filter(([group]) => columns.some(column => groupOf(column) === group))
  const choices = [
    ['all', 'all'],
    ...(present.length > 1 ? present : []),
    ...(warned ? [['warnings', 'with warnings']] : []),
  ]
  const radios = choices.map(
    ([value, label], i) =>
      `<label><input type="radio" name="group" value="${value}"${i === 0 ? ' checked' : ''}>${label}</label>`,
  )
  return (
    `<div class="bar-line" role="search"><h2 id="columns" tabindex="-1">Columns</h2>` +
    `<input type="search" id="search" placeholder="Search columns  ( / )" aria-label="Search columns" autocomplete="off">` +
    `<fieldset><legend class="unseen">Which columns</legend>${radios.join('')}</fieldset>` +
    `<label>Order <select id="order" autocomplete="off"><option value="file">as in the file</option><option value="name">name</option>` +
    `<option value="nulls">most missing</option><option value="distinct">most distinct</option><option value="warnings">most warnings</option></select></label>` +
    `<p id="status" role="status" aria-live="polite">${counted(columns.length, 'column')}</p></div>`
  )
}

/** The last part of a path or URL. */
const titleOf = (label: string): string => /([^/\\]+)[/\\]*$/.exec(label)?.[1] ?? label

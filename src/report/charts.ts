/** Charts as plain SVG. Colours are classes: the page forbids styles of its own. */
import type { Histogram } from '../profile/weighted-values.ts'
import { escapeHtml } from './escape.ts'
import { count, counted } from './numbers.ts'

const WIDTH = 320
const HEIGHT = 72

/** Two decimals are a fraction of a pixel. */
const at = (value: number): string => String(Math.round(value * 100) / 100)

/** @param label How an edge is written. @param what What is counted, for those who do not see it. */
export function histogramChart(histogram: Histogram, label: (edge: number) => string, what: string): string {
  const { edges, counts, below, above } = histogram
  const bins = [
    ...(below > 0 ? [{ times: below, title: `below ${label(edges[0]!)}`, far: true }] : []),
    ...counts.map((times, i) => ({
      times,
      title: edges[i] === edges[i + 1] ? label(edges[i]!) : `${label(edges[i]!)} to ${label(edges[i + 1]!)}`,
      far: false,
    })),
    ...(above > 0 ? [{ times: above, title: `above ${label(edges.at(-1)!)}`, far: true }] : []),
  ]
  const most = Math.max(...bins.map(({ times }) => times))
  const step = WIDTH / bins.length
  const gap = step > 6 ? 1.5 : 0.5
  const bars = bins.map(({ times, title, far }, i) => {
    // Whatever is there can be seen.
    const height = times === 0 ? 0 : Math.max(1.5, (times / most) * HEIGHT)
    const tip = `<title>${escapeHtml(`${title}: ${count(times)}`)}</title>`
    const bar = `<rect class="${far ? 'bar far' : 'bar'}" x="${at(i * step)}" y="${at(HEIGHT - height)}" width="${at(step - gap)}" height="${at(height)}"/>`
    // The tip is shown over the whole height, not only over a bar of two pixels.
    return `<g>${tip}<rect class="hit" x="${at(i * step)}" y="0" width="${at(step)}" height="${HEIGHT}"/>${bar}</g>`
  })
  const top = bins.find(({ times }) => times === most)!
  const text = `Histogram of ${what}: ${counted(bins.length, 'interval')}, most values (${count(most)}) at ${top.title}.`
  const far = below + above === 0 ? '' : `<p class="far-note">${farNote(below, above)}</p>`
  return (
    `<figure class="chart"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(text)}">` +
    `${bars.join('')}</svg><figcaption class="axis" aria-hidden="true"><span>${escapeHtml(label(edges[0]!))}</span>` +
    `<span>${escapeHtml(label(edges.at(-1)!))}</span></figcaption>${far}</figure>`
  )
}

const farNote = (below: number, above: number): string =>
  `${[below > 0 ? `${count(below)} below` : '', above > 0 ? `${count(above)} above` : '']
    .filter(text => text !== '')
    .join(', ')}: far out, counted in the pale bars.`

/** A bar that is filled to a share. */
export function shareBar(share: number, name: string): string {
  const width = share <= 0 ? 0 : Math.max(0.6, share * 100)
  return (
    `<svg class="share ${name}" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">` +
    `<rect class="track" width="100" height="4"/><rect class="fill" width="${at(Math.min(100, width))}" height="4"/></svg>`
  )
}

/** Whiskers at 5 and 95 %, a box from 25 to 75 %, a line at the median; of the range that is drawn above it. */
export function boxChart(quantiles: ReadonlyMap<number, number>, low: number, high: number): string {
  if (high <= low) return ''
  const x = (share: number) => at(Math.max(0, Math.min(1, (quantiles.get(share)! - low) / (high - low))) * WIDTH)
  const [p5, q1, median, q3, p95] = [0.05, 0.25, 0.5, 0.75, 0.95].map(x) as [string, string, string, string, string]
  return (
    `<svg class="box" viewBox="0 0 ${WIDTH} 12" preserveAspectRatio="none" aria-hidden="true">` +
    `<path class="whisker" d="M${p5} 6H${p95}M${p5} 3V9M${p95} 3V9"/>` +
    `<rect class="middle" x="${q1}" y="1.5" width="${at(Math.max(1, Number(q3) - Number(q1)))}" height="9"/>` +
    `<path class="median" d="M${median} 0V12"/></svg>`
  )
}

/** A square matrix of correlations; beyond some columns a table of numbers cannot be read. */
export function heatmap(
  columns: readonly string[],
  matrix: readonly (readonly (number | null)[])[],
  what: string,
): string {
  const size = columns.length
  const cells = matrix.flatMap((line, y) =>
    line.map((value, x) => {
      const title = escapeHtml(`${columns[y]} · ${columns[x]}: ${value === null ? 'not defined' : value.toFixed(2)}`)
      return `<rect class="${shade(value)}" x="${x}" y="${y}" width="1" height="1"><title>${title}</title></rect>`
    }),
  )
  return `<svg class="heatmap" viewBox="0 0 ${size} ${size}" role="img" aria-label="${escapeHtml(`${what} of ${size} columns; the strongest are listed beside it.`)}">${cells.join('')}</svg>`
}

/** The class of a correlation: `n5` to `p5`, in steps of 0.2. */
export function shade(value: number | null): string {
  if (value === null) return 'r none'
  const step = Math.round(Math.abs(value) * 5)
  return step === 0 ? 'r zero' : `r ${value < 0 ? 'n' : 'p'}${step}`
}

/**
 * Draws charts as SVG text, without a dependency: bars that lie, and lines. The same figures give the same text. Colours
 * follow the reader's light or dark theme, on a ground of their own, and whatever a colour says a text says as well.
 */

const WIDTH = 760
const PALETTE = ['own', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9']

const STYLE = `
  .ground { fill: #ffffff; stroke: #d0d7de }
  text { fill: #1f2328; font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif }
  .title { font-size: 15px; font-weight: 600 }
  .quiet { fill: #59636e; font-size: 12px }
  .strong { font-weight: 600 }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .leader { stroke: #8c959f; stroke-width: 0.7 }
  .spread { stroke: #1f2328; stroke-width: 1.5; opacity: 0.6 }
  .limit { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 5 4 }
  .bar { fill: #8c959f } .bar.own { fill: #0969da }
  polyline { fill: none; stroke-width: 2 }
  ${lineColours(['#0969da', '#57606a', '#bf3989', '#1a7f37', '#9a6700', '#8250df', '#cf222e', '#0a7b83', '#6e4b1f', '#3d4db7'])}
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; stroke: #3d444d }
    text { fill: #f0f6fc }
    .quiet { fill: #9198a1 }
    .grid { stroke: #30363d }
    .leader { stroke: #6e7681 }
    .spread { stroke: #f0f6fc }
    .limit { stroke: #ff7b72 }
    .bar { fill: #6e7681 } .bar.own { fill: #4493f8 }
    ${lineColours(['#4493f8', '#9198a1', '#f778ba', '#3fb950', '#d29922', '#ab7df8', '#ff7b72', '#39c5cf', '#c69a6d', '#8ea2ff'])}
  }
`

function lineColours(colours) {
  return colours
    .map((colour, i) => `polyline.${PALETTE[i]} { stroke: ${colour} } circle.${PALETTE[i]} { fill: ${colour} }`)
    .join('\n  ')
}

/**
 * @typedef {object} Bars
 * @property {'bars'} kind
 * @property {string} file its name under `charts/`
 * @property {string} title
 * @property {string} [subtitle]
 * @property {string} unit behind each value
 * @property {{ label: string, value: number, low?: number, high?: number, own?: boolean }[]} bars `low` and `high`: the
 *   spread, as a line over the bar
 * @property {number} [mark] a value with a line through all bars
 *
 * @typedef {object} Lines
 * @property {'lines'} kind
 * @property {string} file
 * @property {string} title
 * @property {string} [subtitle]
 * @property {string} xLabel
 * @property {string} yLabel
 * @property {boolean} [logX]
 * @property {boolean} [logY]
 * @property {{ label: string, points: { x: number, y: number }[] }[]} series
 * @property {{ label: string, y: number }} [limit]
 */

/** @param {Bars | Lines} chart @returns {string} */
export function drawChart(chart) {
  return chart.kind === 'bars' ? drawBars(chart) : drawLines(chart)
}

function drawBars({ title, subtitle, unit, bars, mark }) {
  const texts = bars.map(({ value, low, high }) => ({
    value: `${figure(value)}${unit}`,
    range: low === undefined || figure(low) === figure(high) ? '' : ` ${figure(low)}–${figure(high)}`,
  }))
  const left = 30 + Math.max(...bars.map(({ label, own }) => widthOf(label, own ? STRONG_PIXELS : undefined)))
  const right = 22 + Math.max(...texts.map(({ value, range }) => widthOf(value, STRONG_PIXELS) + widthOf(range)))
  const top = subtitle === undefined ? 52 : 70
  const step = 27
  const height = top + bars.length * step + 14
  const largest = Math.max(...bars.map(({ value, high = value }) => Math.max(value, high)))
  const scale = value => ((WIDTH - left - right) * value) / (largest || 1)
  const parts = bars.map(({ label, value, low, high, own }, i) => {
    const y = top + i * step
    const end = left + scale(Math.max(value, high ?? value))
    const middle = y + 9
    const { value: text, range } = texts[i]
    const spread =
      range === ''
        ? ''
        : `<path class="spread" d="M${at(left + scale(low))} ${middle}H${at(left + scale(high))}M${at(left + scale(low))} ${middle - 4}v8M${at(left + scale(high))} ${middle - 4}v8"/>`
    return `  <text x="${left - 10}" y="${y + 14}" text-anchor="end"${own ? ' class="strong"' : ''}>${escape(label)}</text>
  <rect class="bar${own ? ' own' : ''}" x="${left}" y="${y}" width="${at(Math.max(scale(value), 1))}" height="18" rx="2"/>${spread}
  <text x="${at(end + 7)}" y="${y + 14}"${own ? ' class="strong"' : ''}>${escape(text)}${range === '' ? '' : `<tspan class="quiet">${range}</tspan>`}</text>`
  })
  if (mark !== undefined) {
    parts.push(`  <path class="limit" d="M${at(left + scale(mark))} ${top - 4}V${height - 16}"/>`)
  }
  const said = bars.map(({ label }, i) => `${label}: ${texts[i].value}`).join('; ')
  return frame({ title, subtitle, height, said }, parts)
}

function drawLines({ title, subtitle, xLabel, yLabel, logX = false, logY = false, series, limit }) {
  const height = 420
  const area = {
    left: 70,
    top: subtitle === undefined ? 62 : 80,
    right: WIDTH - 34 - Math.max(...series.map(({ label }) => widthOf(label))),
    bottom: height - 54,
  }
  const points = series.flatMap(line => line.points)
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b)
  const highest = Math.max(...points.map(({ y }) => y), limit?.y ?? 0)
  const ticks = logY ? decades(Math.min(...points.map(({ y }) => y)), highest) : steps(highest)
  const place = (log, low, high, from, to) => {
    const [map, a, b] = log ? [Math.log, Math.log(low), Math.log(high)] : [value => value, low, high]
    return value => from + ((to - from) * (map(value) - a)) / (b - a || 1)
  }
  const toX = place(logX, logX ? xs[0] : 0, xs.at(-1), area.left, area.right)
  const toY = place(logY, ticks[0], ticks.at(-1), area.bottom, area.top)

  const parts = ticks.map(
    tick =>
      `  <path class="grid" d="M${area.left} ${at(toY(tick))}H${at(area.right)}"/><text class="quiet" x="${area.left - 8}" y="${at(toY(tick) + 4)}" text-anchor="end">${thousands(tick)}</text>`,
  )
  let lastLabelEnd = Number.NEGATIVE_INFINITY
  for (const x of xs) {
    const text = thousands(x)
    if (toX(x) - widthOf(text) / 2 < lastLabelEnd + 6) continue
    lastLabelEnd = toX(x) + widthOf(text) / 2
    parts.push(`  <text class="quiet" x="${at(toX(x))}" y="${area.bottom + 18}" text-anchor="middle">${text}</text>`)
  }
  parts.push(
    `  <text class="quiet" x="${at((area.left + area.right) / 2)}" y="${area.bottom + 38}" text-anchor="middle">${escape(xLabel)}</text>`,
    `  <text class="quiet" x="20" y="${area.top - 14}">${escape(yLabel)}</text>`,
  )
  if (limit !== undefined) {
    const y = at(toY(limit.y))
    parts.push(
      `  <path class="limit" d="M${area.left} ${y}H${at(area.right)}"/><text class="quiet" x="${area.left + 6}" y="${at(toY(limit.y) - 5)}">${escape(limit.label)}</text>`,
    )
  }
  const ends = spreadOut(
    series.map((line, i) => ({ i, label: line.label, end: line.points.at(-1) })),
    ({ end }) => toY(end.y),
    area,
  )
  for (const { i, label, end, y } of ends) {
    const colour = PALETTE[i % PALETTE.length]
    const path = series[i].points.map(point => `${at(toX(point.x))},${at(toY(point.y))}`)
    parts.push(`  <polyline class="${colour}" points="${path.join(' ')}"/>`)
    for (const point of series[i].points) {
      parts.push(`  <circle class="${colour}" cx="${at(toX(point.x))}" cy="${at(toY(point.y))}" r="3"/>`)
    }
    parts.push(
      `  <path class="leader" d="M${at(toX(end.x) + 4)} ${at(toY(end.y))}L${at(area.right + 16)} ${at(y)}"/><text x="${at(area.right + 20)}" y="${at(y + 4)}">${escape(label)}</text>`,
    )
  }
  const said = series
    .map(
      ({ label, points: list }) => `${label}: ${list.map(({ x, y }) => `${thousands(x)} → ${figure(y)}`).join(', ')}`,
    )
    .join('; ')
  return frame({ title, subtitle, height, said }, parts)
}

/** Moves labels apart that would lie upon each other; their order stays. */
function spreadOut(labels, wish, { top, bottom }) {
  const gap = 16
  const sorted = labels.map(label => ({ ...label, y: wish(label) })).sort((a, b) => a.y - b.y || a.i - b.i)
  for (let i = 1; i < sorted.length; i++) sorted[i].y = Math.max(sorted[i].y, sorted[i - 1].y + gap)
  let below = bottom + gap
  for (let i = sorted.length - 1; i >= 0; i--) {
    sorted[i].y = Math.min(sorted[i].y, below - gap)
    below = sorted[i].y
  }
  return sorted.map(label => ({ ...label, y: Math.max(label.y, top - 20) }))
}

function frame({ title, subtitle, height, said }, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
  <title>${escape(title)}</title>
  <desc>${escape(said)}</desc>
  <style>${STYLE}</style>
  <rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>
  <text class="title" x="20" y="30">${escape(title)}</text>
${subtitle === undefined ? '' : `  <text class="quiet" x="20" y="49">${escape(subtitle)}</text>\n`}${parts.join('\n')}
</svg>
`
}

/** Round values from 0 on, the last at or above the highest. */
function steps(highest) {
  const rough = highest / 5 || 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map(factor => factor * power).find(candidate => candidate >= rough)
  const count = Math.ceil(highest / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)))
}

/** 1, 2 and 5 of each power of ten, around the values. */
function decades(lowest, highest) {
  const ticks = []
  for (let power = Math.floor(Math.log10(lowest)); power <= Math.ceil(Math.log10(highest)); power++) {
    for (const factor of [1, 2, 5]) ticks.push(Number((factor * 10 ** power).toPrecision(12)))
  }
  const first = ticks.findLastIndex(tick => tick <= lowest * 1.0001)
  const last = ticks.findIndex(tick => tick >= highest * 0.9999)
  return ticks.slice(first, last + 1)
}

/** Three digits that count. */
export function figure(value) {
  if (value === 0) return '0'
  const size = Math.abs(value)
  return size >= 100 ? thousands(Math.round(value)) : value.toFixed(size >= 10 ? 1 : 2)
}

function thousands(value) {
  const [whole, fraction] = String(value).split('.')
  return whole.replace(/\B(?=(\d{3})+$)/g, ' ') + (fraction === undefined ? '' : `.${fraction}`)
}

const at = value => String(Math.round(value * 10) / 10)
/** About as wide as text of this length is at most, in the widest of the usual fonts. */
const widthOf = (text, pixels = 7.4) => Math.ceil(text.length * pixels)
const STRONG_PIXELS = 8
const escape = text =>
  text.replace(/[&<>"]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign])

/** The floor: what our ratios were, and how far each may fall before the check fails. */

/** On another major of Node than the floor's, all ratios may be lower by so large a share. */
const OTHER_NODE_NOISE = 0.2
/** Files of quick runs are read in a tenth of a second, most of which may be compilation. */
const QUICK_NOISE = 0.15

/**
 * @typedef {Record<string, import('./report.mjs').Ratio>} Lines `case/ratio` → what it is held to
 * @typedef {{ node: string, lines: Lines }} Mode
 * @typedef {{ full?: Mode, quick?: Mode }} Floor ratios differ a little with the size of the files
 */

/** @param {import('./report.mjs').CaseRecord[]} records @returns {Lines} */
function linesOf(records) {
  return Object.fromEntries(
    records.flatMap(record => Object.entries(record.ratios).map(([id, ratio]) => [`${record.case}/${id}`, ratio])),
  )
}

const majorOf = version => version.split('.')[0]

/**
 * Holds records against the floor.
 * @param {import('./report.mjs').CaseRecord[]} records of one mode
 * @param {Floor} floor
 * @param {'full' | 'quick'} mode
 * @param {{ isPartial?: boolean }} [options] whether ratios are left out on purpose
 * @returns {{ held: number, fallen: string[], missing: string[], unknown: string[] }} `missing`: of a case that ran, in the
 *   floor, and not measured; `unknown`: measured, and not in the floor
 */
export function checkFloor(records, floor, mode, { isPartial = false } = {}) {
  const { node, lines } = floor[mode] ?? { node: '', lines: {} }
  const measured = linesOf(records)
  const cases = new Set(records.map(record => record.case))
  const fallen = []
  let held = 0
  for (const [id, { value, better }] of Object.entries(measured)) {
    const line = lines[id]
    if (line === undefined) continue
    const record = records.find(({ case: name }) => id.startsWith(`${name}/`))
    const otherNode = majorOf(record.environment.node) === majorOf(node) ? 0 : OTHER_NODE_NOISE
    const noise = line.noise + otherNode + (mode === 'quick' ? QUICK_NOISE : 0)
    const bound = better === 'higher' ? line.value * (1 - noise) : line.value * (1 + noise)
    if (better === 'higher' ? value >= bound : value <= bound) held++
    else {
      const limit = better === 'higher' ? 'at least' : 'at most'
      const share = `${better === 'higher' ? '−' : '+'}${(noise * 100).toFixed(0)} %`
      fallen.push(`${id}: ${value.toFixed(2)}, floor ${line.value.toFixed(2)} ${share}: ${limit} ${bound.toFixed(2)}`)
    }
  }
  const missing = isPartial
    ? []
    : Object.keys(lines).filter(id => cases.has(id.slice(0, id.indexOf('/'))) && measured[id] === undefined)
  return { held, fallen, missing, unknown: Object.keys(measured).filter(id => lines[id] === undefined) }
}

/**
 * The floor with the ratios of these records in place of those that the same cases had.
 * @param {import('./report.mjs').CaseRecord[]} records
 * @param {Floor} floor
 * @param {'full' | 'quick'} mode
 * @returns {Floor}
 */
export function raiseFloor(records, floor, mode) {
  const cases = new Set(records.map(record => record.case))
  const others = Object.entries(floor[mode]?.lines ?? {}).filter(([id]) => !cases.has(id.slice(0, id.indexOf('/'))))
  const lines = Object.fromEntries(
    [...others, ...Object.entries(linesOf(records))].sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  return { ...floor, [mode]: { node: records.at(-1)?.environment.node ?? floor[mode]?.node ?? '', lines } }
}

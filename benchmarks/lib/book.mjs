/** What the tests hold of the book: how it is rendered, checked and ordered. */
export { CASES } from './cases.mjs'
export { checkFloor, raiseFloor } from './floor.mjs'
export { renderBook } from './render.mjs'
export { readRecords } from './results.mjs'
export { fitLine, growthExponent, relativeSpread } from './statistics.mjs'
export { drawChart } from './svg.mjs'

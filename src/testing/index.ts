/**
 * The contract suites that every plug-in of this library passes, for plug-ins of your own: each declares Vitest tests.
 *
 * ```ts
 * import { codecContract, formatContract, sinkContract, sourceContract } from 'open-iterable/testing'
 * ```
 */
export { type CodecFacets, type CodecReference, codecContract } from './codec.ts'
export { type FormatSample, type FormatSubject, formatContract } from './format.ts'
export { type HandleSubject, readerContract, writerContract } from './handle.ts'
export { ManualClock } from './manual-clock.ts'
export { type SinkCase, type SinkFacets, sinkContract } from './sink.ts'
export { type SourceCase, type SourceFacets, sourceContract } from './source.ts'

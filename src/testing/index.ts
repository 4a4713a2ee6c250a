/**
 * The contract suites that every plug-in of this library passes, for plug-ins of your own: each declares Vitest tests.
 *
 * ```ts
 * import { codecContract, formatContract, sinkContract, sourceContract } from 'open-iterable/testing'
 * ```
 */
export { codecContract } from './codec.ts'
export type { CodecFacets, CodecReference } from './codec-samples.ts'
export { type FormatSample, type FormatSubject, formatContract } from './format.ts'
export type { HandleSubject } from './handle-subject.ts'
export { ManualClock } from './manual-clock.ts'
export { readerContract } from './reader-handle.ts'
export { type SinkCase, type SinkFacets, sinkContract } from './sink.ts'
export { type SourceCase, type SourceFacets, sourceContract } from './source.ts'
export { writerContract } from './writer-handle.ts'

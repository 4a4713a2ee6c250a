/** `pipeline`: rows from a source through stages into a destination, with everything that goes along with it. */
import { invalidOption } from '../core/options.ts'
import type { ByteTarget, WriteTarget } from '../open.ts'
import type { Writer } from '../writer.ts'
import type { PipelineOptions, PipelineResult } from './options.ts'
import { Stage, type StageContext } from './stages.ts'

/** A reader, a chain, rows, or any target that can be opened to read. */
export type PipelineSource<A> = AsyncIterable<A> | readonly A[] | ReadonlySet<A> | ByteTarget

/** A writer, any target that can be opened to write, or a function that is given rows in arrays. */
export type PipelineDestination<Z, S = undefined> =
  | Writer<Z>
  | WriteTarget
  | ((rows: Z[], context: StageContext<S>) => unknown)

/**
 * Moves rows from a source through stages into a destination, and tells what became of them. Rows move in batches, and
 * only as fast as the destination takes them; none is lost in silence.
 *
 * ```ts
 * const adults = filterStage((person: Person) => person.age > 17)
 * const geocoded = mapStage(async (person: Person) => ({ ...person, ...(await geocode(person)) }), { concurrency: 8 })
 * const result = await pipeline('people.csv.gz', adults, geocoded, 'adults.jsonl', { deadLetters: 'failed.jsonl' })
 * ```
 *
 * A destination that is a target is published at the end, whole, or not at all. A batch that could not be written is
 * never written again: the pipeline fails.
 *
 * @throws DataError STAGE_FAILED for a row that a stage threw on, with that as its `cause`; errors of the source and the
 * destination as they are; `signal.reason`.
 */
export function pipeline<A, S = undefined>(
  source: PipelineSource<A>,
  destination: PipelineDestination<A, S>,
  options?: PipelineOptions<S>,
): Promise<PipelineResult<S>>
export function pipeline<A, B, S = undefined>(
  source: PipelineSource<A>,
  first: Stage<A, B, S>,
  destination: PipelineDestination<B, S>,
  options?: PipelineOptions<S>,
): Promise<PipelineResult<S>>
export function pipeline<A, B, C, S = undefined>(
  source: PipelineSource<A>,
  first: Stage<A, B, S>,
  second: Stage<B, C, S>,
  destination: PipelineDestination<C, S>,
  options?: PipelineOptions<S>,
): Promise<PipelineResult<S>>
export function pipeline<A, B, C, D, S = undefined>(
  source: PipelineSource<A>,
  first: Stage<A, B, S>,
  second: Stage<B, C, S>,
  third: Stage<C, D, S>,
  destination: PipelineDestination<D, S>,
  options?: PipelineOptions<S>,
): Promise<PipelineResult<S>>
export function pipeline<A, B, C, D, E, S = undefined>(
  source: PipelineSource<A>,
  first: Stage<A, B, S>,
  second: Stage<B, C, S>,
  third: Stage<C, D, S>,
  fourth: Stage<D, E, S>,
  destination: PipelineDestination<E, S>,
  options?: PipelineOptions<S>,
): Promise<PipelineResult<S>>
export function pipeline<A, B, C, D, E, F, S = undefined>(
  source: PipelineSource<A>,
  first: Stage<A, B, S>,
  second: Stage<B, C, S>,
  third: Stage<C, D, S>,
  fourth: Stage<D, E, S>,
  fifth: Stage<E, F, S>,
  destination: PipelineDestination<F, S>,
  options?: PipelineOptions<S>,
): Promise<PipelineResult<S>>
export async function pipeline(source: unknown, ...rest: readonly unknown[]): Promise<PipelineResult<unknown>> {
  const stages: Stage<never, unknown, never>[] = []
  for (const given of rest) {
    if (!(given instanceof Stage)) break
    stages.push(given)
  }
  const [destination, options = {}, ...more] = rest.slice(stages.length)
  if (destination === undefined || destination === null) {
    throw invalidOption('destination', 'a writer, a target or a function behind the stages', destination)
  }
  if (typeof options !== 'object' || options === null || options instanceof Stage || more.length > 0) {
    const hint = 'stages are made by mapStage, filterStage and so on; the destination stands behind them'
    throw invalidOption('options', 'an object behind the destination', options, hint)
  }
  const { execute } = await import('./execute.ts')
  return execute(source, stages, destination, options as PipelineOptions<unknown>)
}

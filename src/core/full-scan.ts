/** `scan: 'full'`: reads all of a source to decide types, before it is read for its rows. */
import { createError } from './errors.ts'
import type { ByteSource, Decoder, ReadContext } from './types.ts'
import type { Decided } from './typing.ts'

/** A decoder that infers types on its way. */
export interface DecidingDecoder extends Decoder {
  readonly decided: Decided | undefined
  release(): ReturnType<Decoder['flush']>
}

/**
 * What `scan` decides of the source. It is given a context in which bad records pass: what is wrong on the way is for the
 * second reading to tell. Throws NOT_REPLAYABLE, and what the signal is aborted for.
 */
export async function decideByScan(
  source: ByteSource,
  { signal, label }: ReadContext,
  scan: (silent: ReadContext) => Promise<Decided | undefined>,
): Promise<Decided> {
  if (!source.replayable) {
    throw createError('NOT_REPLAYABLE', "scan: 'full' of a source that can be read only once", {
      label,
      hint: 'read it from a file, or look at a sample only: { scan: 1000 }',
    })
  }
  let decided: Decided | undefined
  try {
    decided = await scan({ label, signal, onBadRecord: () => {} })
  } catch {
    signal.throwIfAborted()
  }
  return decided ?? { types: [], nullable: [] }
}

/** Drives a decoder over the source; up to where the source fails, if it does. */
export async function scanByDecoder(
  source: ByteSource,
  decoder: DecidingDecoder,
  signal: AbortSignal,
): Promise<Decided | undefined> {
  try {
    for await (const chunk of source.stream({ signal })) for (const _ of decoder.decode(chunk));
    for (const _ of decoder.flush());
  } catch {
    signal.throwIfAborted()
    for (const _ of decoder.release());
  }
  return decoder.decided
}

/** Writes a text to wherever bytes can be written, whole or not at all. */
import { createError } from '../core/errors.ts'
import { resolveTarget } from '../resolve.ts'

const PIECE = 1 << 16

/** `target`: a path, URL or `-`; codecs are seen from its name. Throws what writing throws; `signal.reason`. */
export async function writeText(target: string, text: string, signal: AbortSignal): Promise<void> {
  const { entry, codecs, label } = resolveTarget(target, {}, 'write')
  const place = await entry.load()
  signal.throwIfAborted()
  const ids = codecs.map(({ id }) => id)
  const opened = await place.openSink!(target, { signal, options: {}, append: false, codecs: ids })
  if ('openWriter' in opened) {
    await opened[Symbol.asyncDispose]()
    throw createError('FORMAT_UNSUPPORTED', 'a page cannot be written as rows', { label })
  }
  let sink = opened
  try {
    for (const codec of codecs) sink = (await codec.load()).encode(sink, { level: undefined })
    const bytes = new TextEncoder().encode(text)
    for (let at = 0; at < bytes.length; at += PIECE) {
      signal.throwIfAborted()
      await sink.write(bytes.subarray(at, at + PIECE))
    }
    await sink.close()
  } finally {
    // After close() this does nothing.
    await sink[Symbol.asyncDispose]()
  }
}

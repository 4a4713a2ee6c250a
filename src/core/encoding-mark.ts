/** Text that is UTF-8 unless a byte order mark says otherwise: most is, and must not load what decodes the rest. */
import type { DecodeTextOptions } from './encoding-options.ts'
import type { Abortable, ByteSource } from './types.ts'

/** Bytes of the longest byte order mark. */
const LONGEST_MARK = 4

/**
 * As `decodeText` with `encoding: 'auto'`: chunks of UTF-8 pass through as they are, and what begins with the byte order
 * mark of another encoding is decoded. Disposing the view disposes `source`.
 */
export function decodeMarkedText(source: ByteSource, onInvalid: DecodeTextOptions['onInvalid']): ByteSource {
  return {
    label: source.label,
    replayable: source.replayable,
    stream: options => decodeMarked(source, onInvalid, options),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}

async function* decodeMarked(
  source: ByteSource,
  onInvalid: DecodeTextOptions['onInvalid'],
  options: Abortable = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = source.stream(options)[Symbol.asyncIterator]()
  try {
    let step = await chunks.next()
    // Chunks may be smaller than a mark; what is kept of them is copied, as they are only lent.
    let head: Uint8Array = new Uint8Array(0)
    while (step.done !== true && head.length + step.value.length < LONGEST_MARK) {
      head = Buffer.concat([head, step.value])
      step = await chunks.next()
    }
    if (step.done !== true) {
      if (head.length > 0) head = Buffer.concat([head, step.value])
      else head = step.value
    }
    const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) }
    if (!mayBeMarked(head)) {
      if (head.length > 0) yield head
      yield* rest
      return
    }
    const { decodeText } = await import('./encoding.ts')
    const whole: ByteSource = {
      label: source.label,
      replayable: false,
      async *stream() {
        yield head
        yield* rest
      },
      async [Symbol.asyncDispose]() {},
    }
    yield* decodeText(whole, { encoding: 'auto', onInvalid }).stream(options)
  } finally {
    await chunks.return?.()
  }
}

/** Whether the bytes may begin with the mark of UTF-16 or UTF-32. */
function mayBeMarked([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || (first === 0 && second === 0)
}

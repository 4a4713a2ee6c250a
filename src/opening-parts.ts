/** What opening for reading and opening for writing share: options picked, text decoded, bytes counted, a clean-up. */
import { stat } from 'node:fs/promises'
import { decodeMarkedText } from './core/encoding-mark.ts'
import type { DecodeTextOptions } from './core/encoding-options.ts'
import type { OptionTable } from './core/options.ts'
import type { Abortable, ByteSink, ByteSource, CodecOptions, FormatOptions, RandomAccess } from './core/types.ts'

/** The part of the options that a table names. */
export function pick(options: FormatOptions, table: OptionTable | undefined): FormatOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => table !== undefined && Object.hasOwn(table, name)),
  )
}

export function codecOptions(options: FormatOptions): CodecOptions {
  const { level, maxDecodedBytes, maxRatio, member } = options as CodecOptions
  return { level, maxDecodedBytes, maxRatio, member }
}

/** `source` as UTF-8. */
export async function decoded(source: ByteSource, options: FormatOptions): Promise<ByteSource> {
  const { encoding = 'auto', encodingErrors: onInvalid = 'raise' } = options as {
    encoding?: string
    encodingErrors?: DecodeTextOptions['onInvalid']
  }
  if (encoding === 'auto') return decodeMarkedText(source, onInvalid)
  const { decodeText, prepareEncoding } = await import('./core/encoding.ts')
  await prepareEncoding(encoding, 'read')
  return decodeText(source, { encoding, onInvalid })
}

/** Cleans up after a failure; what fails on the way is told, but does not hide the first error. */
export async function disposeAfter(resource: AsyncDisposable): Promise<void> {
  try {
    await resource[Symbol.asyncDispose]()
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error))
  }
}

export function countedSource(source: ByteSource, onBytes: (count: number) => void): ByteSource {
  return {
    label: source.label,
    replayable: source.replayable,
    ...(source.random === undefined ? {} : { random: countedRandom(source.random, onBytes) }),
    ...(source.localPath === undefined ? {} : { localPath: source.localPath }),
    ...(source.size === undefined ? {} : { size: source.size }),
    async *stream(options?: Abortable) {
      for await (const chunk of source.stream(options)) {
        onBytes(chunk.length)
        yield chunk
      }
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}

function countedRandom(random: RandomAccess, onBytes: (count: number) => void): RandomAccess {
  return {
    size: options => random.size(options),
    async readRanges(ranges, options) {
      const parts = await random.readRanges(ranges, options)
      for (const part of parts) onBytes(part.length)
      return parts
    },
  }
}

export function countedSink(sink: ByteSink, onBytes: (count: number) => void): ByteSink {
  let counted = 0
  return {
    label: sink.label,
    ...(sink.localPath === undefined ? {} : { localPath: sink.localPath }),
    async write(chunk) {
      await sink.write(chunk)
      counted += chunk.length
      onBytes(chunk.length)
    },
    async close() {
      // A native engine has written the file by itself.
      if (counted === 0 && sink.localPath !== undefined) onBytes((await stat(sink.localPath)).size)
      await sink.close()
    },
    abort: reason => sink.abort(reason),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
}

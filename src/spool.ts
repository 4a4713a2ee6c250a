/** Sources that a format has to be able to jump about in: as they are where they can, else by way of a temp file. */
import { createError } from './core/errors.ts'
import { openTempFile, type TempFile } from './core/temp-files.ts'
import type { Abortable, ByteRange, ByteSource, RandomAccess } from './core/types.ts'

/** What reading needed a temp file for. */
export interface Spooled {
  /** Bytes in the temp file. */
  readonly bytes: number
  /** Why they could not be read where they are. */
  readonly reason: string
}

export interface SpoolOptions extends Abortable {
  /** Most bytes of the temp file; more is SPOOL_LIMIT_EXCEEDED. Default: Infinity. */
  readonly maxBytes?: number | undefined
  /** Folder for the temp file. Default: one of this user's in the system's folder for temp files. */
  readonly folder?: string | undefined
}

/** A source that a format can jump about in, and what became of it for that. */
export interface SeekableSource {
  readonly source: ByteSource
  readonly spooled: Spooled | undefined
}

/**
 * `source` if it has what the format needs, else its bytes in a temp file, which is gone when the source given back is
 * disposed. Takes over `source`.
 */
export async function seekable(
  source: ByteSource,
  needs: 'random' | 'localPath',
  options: SpoolOptions & { readonly codecs?: readonly string[] } = {},
): Promise<SeekableSource> {
  if (source.localPath !== undefined || (needs === 'random' && source.random !== undefined)) {
    return { source, spooled: undefined }
  }
  const { codecs = [] } = options
  const reason =
    codecs.length > 0
      ? `what is inside ${codecs.join(' and ')} can only be read from its start`
      : 'the source can only be read from its start'
  const copy = await spool(source, options)
  return { source: copy, spooled: { bytes: copy.size!, reason } }
}

/** All bytes of `source` in a temp file. Disposes `source`, whatever happens. */
export async function spool(source: ByteSource, options: SpoolOptions = {}): Promise<ByteSource> {
  const { maxBytes = Number.POSITIVE_INFINITY, folder, signal } = options
  const { label } = source
  let file: TempFile | undefined
  let size = 0
  try {
    try {
      file = await openTempFile(folder)
      for await (const chunk of source.stream({ signal })) {
        size += chunk.length
        if (size > maxBytes) {
          throw createError('SPOOL_LIMIT_EXCEEDED', `the input is larger than ${maxBytes} bytes`, { label })
        }
        await writeAll(file, chunk, label)
      }
      signal?.throwIfAborted()
    } finally {
      await source[Symbol.asyncDispose]()
    }
  } catch (error) {
    await file?.[Symbol.asyncDispose]()
    throw error
  }
  return fileSource(file, size, label)
}

async function writeAll(file: TempFile, chunk: Uint8Array, label: string): Promise<void> {
  try {
    for (let at = 0; at < chunk.length; ) at += (await file.handle.write(chunk, at)).bytesWritten
  } catch (cause) {
    const full = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String((cause as { code?: unknown }).code))
    throw createError(full ? 'SINK_FULL' : 'SINK_FAILED', `${label} could not be copied to a temp file`, {
      label: file.path,
      cause,
    })
  }
}

function fileSource(file: TempFile, size: number, label: string): ByteSource {
  const random: RandomAccess = {
    size: async () => size,
    readRanges: async (ranges, options) => {
      const parts: Uint8Array[] = []
      for (const range of ranges) {
        options?.signal?.throwIfAborted()
        parts.push(await readRange(file, range))
      }
      return parts
    },
  }
  return {
    label,
    replayable: true,
    localPath: file.path,
    size,
    random,
    async *stream(options?: Abortable) {
      for (let at = 0; at < size; ) {
        options?.signal?.throwIfAborted()
        const chunk = await readRange(file, { start: at, end: Math.min(size, at + 65_536) })
        at += chunk.length
        yield chunk
      }
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

async function readRange(file: TempFile, { start, end }: ByteRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start)
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.handle.read(bytes, at, bytes.length - at, start + at)
    if (bytesRead === 0) throw createError('SOURCE_FAILED', 'a temp file was cut short', { label: file.path })
    at += bytesRead
  }
  return bytes
}

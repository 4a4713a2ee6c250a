/** Opens what was resolved for writing: place, codecs, encoding and format, one inside the other. */
import { TEXT_WRITE_OPTIONS } from './core/encoding-options.ts'
import { createError } from './core/errors.ts'
import { checkOptions } from './core/options.ts'
import type {
  Abortable,
  ByteSink,
  ByteSource,
  ExistingRows,
  FormatOptions,
  Place,
  RowSource,
  RowWriter,
  WriteContext,
} from './core/types.ts'
import { codecOptions, countedSink, decoded, disposeAfter, pick } from './opening-parts.ts'
import { COMMON_WRITE_OPTIONS, formatOf, type Resolution } from './resolve.ts'

/** Opens a target for writing. Whatever was opened before a failure or an abort is given up. */
export async function openWriting(
  resolution: Resolution,
  context: Omit<WriteContext, 'appending'>,
  append: boolean,
  onBytes: (count: number) => void,
): Promise<RowWriter> {
  const { entry, target, options } = resolution
  const { signal } = context
  const place = await entry.load()
  const format = await resolution.format?.load()
  const textOptions = resolution.format?.text === true ? TEXT_WRITE_OPTIONS : {}
  checkOptions(
    options,
    [COMMON_WRITE_OPTIONS, place.writeOptions ?? {}, textOptions, format?.writeOptions ?? {}],
    `writing ${resolution.format?.id ?? entry.id}`,
  )
  signal.throwIfAborted()
  const existing = append && entry.rows !== true ? await inspectExisting(resolution, place, context) : undefined
  const sink = await place.openSink!(target, {
    signal,
    options: pick(options, place.writeOptions),
    append,
    format: resolution.format?.id,
    codecs: resolution.codecs.map(codec => codec.id),
    onRetry: () => context.onRetry?.(),
  })
  let outermost: AsyncDisposable = sink
  try {
    signal.throwIfAborted()
    if ('openWriter' in sink) return await sink.openWriter({ ...context, appending: append, onBytesWritten: onBytes })
    formatOf(resolution)
    let bytes = countedSink(sink, onBytes)
    for (const codec of resolution.codecs) bytes = (await codec.load()).encode(bytes, codecOptions(options))
    outermost = bytes
    if (resolution.format?.text === true) bytes = await encoded(bytes, options, existing !== undefined)
    outermost = bytes
    if (existing?.prefix !== undefined) await bytes.write(existing.prefix)
    const writer = await format!.openWriter!(bytes, pick(options, format!.writeOptions), {
      ...context,
      appending: existing !== undefined,
    })
    outermost = writer
    if (existing?.columns !== undefined) writer.suggestColumns?.(existing.columns)
    signal.throwIfAborted()
    return writer
  } catch (error) {
    await disposeAfter(outermost)
    throw error
  }
}

/** A sink that takes UTF-8. */
async function encoded(sink: ByteSink, options: FormatOptions, appending: boolean): Promise<ByteSink> {
  const { encoding = 'utf-8', encodingErrors = 'raise' } = options as {
    encoding?: string
    encodingErrors?: 'raise' | 'replace'
  }
  if (/^utf-?8$/i.test(encoding)) return sink // a format writes its own byte order mark
  const { encodeText, prepareEncoding } = await import('./core/encoding.ts')
  await prepareEncoding(encoding, 'write')
  const bom = appending ? false : (options.bom as boolean | undefined)
  return encodeText(sink, { encoding, bom, onUnmappable: encodingErrors })
}

/** What a target that is appended to holds; undefined where it does not exist or is empty. */
async function inspectExisting(
  resolution: Resolution,
  place: Place,
  { label, signal }: Omit<WriteContext, 'appending'>,
): Promise<ExistingRows | undefined> {
  const { entry, target, options } = resolution
  const formatEntry = formatOf(resolution)
  const format = await formatEntry.load()
  if (place.openSource === undefined || !entry.reads) return undefined
  const unable = [
    format.inspectExisting === undefined ? formatEntry : undefined,
    ...resolution.codecs.filter(codec => codec.appends !== true),
  ]
    .filter(plugin => plugin !== undefined)
    .map(plugin => plugin.title)
  let source: ByteSource | RowSource
  try {
    source = await place.openSource(target, { signal, options: pick(options, place.readOptions) })
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SOURCE_NOT_FOUND') return undefined
    throw error
  }
  let outermost: AsyncDisposable = source
  try {
    if ('openReader' in source || !source.replayable) return undefined
    if (await isEmpty(source, { signal })) return undefined
    if (unable.length > 0) {
      throw createError('FORMAT_UNSUPPORTED', `${unable.join(' and ')} cannot be appended to`, {
        label,
        hint: "write it anew ({ mode: 'w' })",
      })
    }
    let bytes: ByteSource = source
    for (const codec of resolution.codecs) {
      bytes = (await codec.load()).decode(bytes, {})
      outermost = bytes
    }
    if (resolution.codecs.length > 0 && (await isEmpty(bytes, { signal }))) return undefined
    if (formatEntry.text === true) {
      // By name, so that rows in one encoding do not follow rows in another.
      bytes = await decoded(bytes, { encoding: options.encoding ?? 'utf-8' })
      outermost = bytes
    }
    return await format.inspectExisting!(bytes, pick(options, format.writeOptions), {
      label,
      signal,
      onBadRecord: () => {},
    })
  } finally {
    await outermost[Symbol.asyncDispose]()
  }
}

async function isEmpty(source: ByteSource, options: Abortable): Promise<boolean> {
  if (source.size !== undefined) return source.size === 0
  for await (const _ of source.stream(options)) return false
  return true
}

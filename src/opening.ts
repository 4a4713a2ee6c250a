/** Opens what was resolved: place, codecs, encoding and format, one inside the other. */

import { stat } from 'node:fs/promises'
import { decodeMarkedText } from './core/encoding-mark.ts'
import { type DecodeTextOptions, TEXT_READ_OPTIONS, TEXT_WRITE_OPTIONS } from './core/encoding-options.ts'
import { createError } from './core/errors.ts'
import { checkOptions, type OptionTable } from './core/options.ts'
import { decodePath, hasGlob } from './core/target-urls.ts'
import type {
  Abortable,
  ByteSink,
  ByteSource,
  CodecOptions,
  ExistingRows,
  FormatOptions,
  Place,
  RandomAccess,
  ReadContext,
  RowReader,
  RowSource,
  RowWriter,
  WriteContext,
} from './core/types.ts'
import { type CodecEntry, type FormatEntry, findCodec, findFormat } from './registry.ts'
import { COMMON_READ_OPTIONS, COMMON_WRITE_OPTIONS, describedBy, formatOf, type Resolution } from './resolve.ts'
import type { SniffedDialect } from './sniff/detection.ts'
import type { SeekableSource, Spooled } from './spool.ts'
import { type StandardSchema, validatingReader } from './standard-schema.ts'

/** An open reader and what it stands on. */
export interface OpenedReader {
  readonly reader: RowReader
  readonly replayable: boolean
  /** Id of the format; undefined for rows that need none. */
  readonly format: string | undefined
  /** Ids of the codecs, outermost first. */
  readonly codecs: readonly string[]
  /** Bytes of the source, where it tells. */
  readonly bytesTotal?: number | undefined
  /** What was copied to a temp file to be read, and why, where something was. */
  readonly spooled?: Spooled | undefined
}

/** What the name tells, or the content. */
interface Layers {
  /** Decoded by the codecs, not yet by the encoding. */
  readonly source: ByteSource
  readonly codecs: readonly string[]
  readonly format: FormatEntry
  readonly options: FormatOptions
}

/** Opens a target for reading. Whatever was opened before a failure or an abort is disposed. */
export async function openReading(
  resolution: Resolution,
  context: ReadContext,
  onBytes: (count: number) => void,
): Promise<OpenedReader> {
  const { entry, target, options } = resolution
  const { signal } = context
  const place = await entry.load()
  await checkReadOptions(resolution, place, resolution.format, options)
  signal.throwIfAborted()
  if (options.glob !== false && mayBePattern(target, options.glob === true)) {
    const { isPattern, openListed } = await import('./file-sequence.ts')
    const placeOptions = pick(options, place.readOptions)
    if (await isPattern(resolution, place, placeOptions, signal)) {
      return openListed(resolution, place, placeOptions, context, (one, inside) => openReading(one, inside, onBytes))
    }
  }
  if (options.members === 'all') {
    const { openMembers } = await import('./member-sequence.ts')
    return openMembers(resolution, context, (one, inside) => openReading(one, inside, onBytes))
  }
  const source = await place.openSource!(target, {
    signal,
    options: pick(options, place.readOptions),
    access: accessOf(resolution),
    onRetry: () => context.onRetry?.(),
  })
  const { schema, fileNameColumn } = options as { schema?: StandardSchema; fileNameColumn?: string }
  const named = async (reader: RowReader) => {
    if (fileNameColumn === undefined) return reader
    return (await import('./source-column.ts')).withSourceColumn(reader, fileNameColumn, context.label)
  }
  const validated = async (own: RowReader) => {
    const reader = await named(own)
    return schema === undefined ? reader : validatingReader(reader, schema, context)
  }
  let outermost: AsyncDisposable = source
  try {
    signal.throwIfAborted()
    if ('openReader' in source) {
      const reader = await described(await validated(await source.openReader(context)))
      return { reader, replayable: source.replayable, format: undefined, codecs: [] }
    }
    const layers = await openLayers(describedBy(resolution, source), countedSource(source, onBytes), signal)
    outermost = layers.source
    if (layers.format !== resolution.format) await checkReadOptions(resolution, place, layers.format, layers.options)
    const { source: bytes, spooled } = await prepared(layers, signal)
    outermost = bytes
    const format = await layers.format.load()
    // A copy was counted while it was made.
    const inside = spooled === undefined ? { ...context, onBytesRead: onBytes } : context
    const own = await format.openReader!(bytes, pick(layers.options, format.readOptions), inside)
    outermost = own
    await own.ready?.({ signal })
    const reader = await described(await validated(own))
    outermost = reader
    if (reader !== own) await reader.ready?.({ signal })
    signal.throwIfAborted()
    return {
      reader,
      replayable: source.replayable,
      format: layers.format.id,
      codecs: layers.codecs,
      bytesTotal: source.size,
      spooled,
    }
  } catch (error) {
    await disposeAfter(outermost)
    throw error
  }
}

/** The bytes as the format wants them: text in UTF-8, and what it jumps about in where that is possible. Takes over the source. */
async function prepared(layers: Layers, signal: AbortSignal): Promise<SeekableSource> {
  const { format, source, options, codecs } = layers
  const maxBytes = options.maxSpoolBytes as number | undefined
  if (format.text === true) {
    // To be read twice.
    const again = options.cast === true && options.scan === 'full' && !source.replayable
    if (!again) return { source: await decoded(source, options), spooled: undefined }
    const copy = await (await import('./spool.ts')).spool(source, { signal, maxBytes })
    const reason = "scan: 'full' reads it twice, and the source can be read only once"
    return { source: await decoded(copy, options), spooled: { bytes: copy.size!, reason } }
  }
  if (format.needs === 'stream') return { source, spooled: undefined }
  const { seekable } = await import('./spool.ts')
  return seekable(source, format.needs, { signal, codecs, maxBytes })
}

/** The reader, with a schema where it tells none. */
async function described(reader: RowReader): Promise<RowReader> {
  if (reader.schema !== undefined) return reader
  const { SampledReader } = await import('./sampled-schema.ts')
  return new SampledReader(reader)
}

async function checkReadOptions(
  { entry, format: named }: Resolution,
  place: Place,
  format: FormatEntry | undefined,
  options: FormatOptions,
): Promise<void> {
  const tables: OptionTable[] = [COMMON_READ_OPTIONS, place.readOptions ?? {}]
  if (format?.text === true || format === undefined) tables.push(TEXT_READ_OPTIONS)
  if (format !== undefined) tables.push((await format.load()).readOptions)
  // Without a format nobody knows yet which of the options are its own.
  else if (named === undefined && entry.rows !== true) return
  checkOptions(options, tables, `reading ${format?.id ?? entry.id}`)
}

/** Whether a target is to be looked at as a pattern: only texts and URLs are, and a query of a URL is none. */
function mayBePattern(target: unknown, wanted: boolean): boolean {
  const isName = typeof target === 'string' || target instanceof URL
  if (!isName || /^https?:/i.test(String(target))) return wanted
  return wanted || hasGlob(typeof target === 'string' ? target : decodePath(target.pathname))
}

/** How the source is going to be read, as far as that is known before it is opened. */
function accessOf({ codecs, format }: Resolution): 'stream' | 'random' {
  const outermost = codecs[0] === undefined ? format?.needs : codecs[0].needs
  return outermost === 'random' ? 'random' : 'stream'
}

/** Undoes the codecs that the name or the user tells; those that the content tells, where that is to be looked at. */
async function openLayers(resolution: Resolution, source: ByteSource, signal: AbortSignal): Promise<Layers> {
  const { given, options } = resolution
  const sniffs = (given.sniff as boolean | undefined) ?? resolution.format === undefined
  if (sniffs) return sniffLayers(resolution, source, signal)
  const format = formatOf(resolution)
  let bytes = source
  for (const codec of resolution.codecs) bytes = (await codec.load()).decode(bytes, codecOptions(options))
  return { source: bytes, codecs: resolution.codecs.map(codec => codec.id), format, options }
}

/** Looks at the content. What the user said is not sniffed, and where name and content differ the content says so. */
async function sniffLayers(resolution: Resolution, source: ByteSource, signal: AbortSignal): Promise<Layers> {
  const { given, label, name } = resolution
  const { dialectOptions } = await import('./sniff/detection.ts')
  const { refusalOf, sniffDeep } = await import('./sniff/layers.ts')
  const { detection, source: inner } = await sniffDeep(source, {
    name,
    given: {
      format: given.format as string | undefined,
      codecs: Array.isArray(given.codecs) ? resolution.codecs.map(codec => codec.id) : undefined,
      encoding: given.encoding === 'auto' ? undefined : (given.encoding as string | undefined),
      dialect: givenDialect(given),
    },
    codecOptions: codecOptions(given),
    signal,
  })
  const refusal = refusalOf(detection, label)
  if (refusal !== undefined) {
    await disposeAfter(inner)
    throw refusal
  }
  const format = findFormat(detection.format!)!
  const implied = format.extensions[detection.format!] ?? {}
  const { dialect, encoding, confidence } = detection
  return {
    source: inner,
    codecs: detection.codecs.map(id => (findCodec(id) as CodecEntry).id),
    format,
    options: {
      ...implied,
      ...(dialect === undefined || format.id !== 'csv' ? {} : { ...dialectOptions(dialect), ...namesOf(dialect) }),
      // A guess is reported by detect(), and never applied.
      ...(encoding !== undefined && encoding !== 'utf-8' && (confidence.encoding ?? 0) >= 0.5 ? { encoding } : {}),
      ...given,
    },
  }
}

/** The options that settle a part of the dialect; those that are more than the sniffer knows of are left to the reader. */
function givenDialect(given: FormatOptions) {
  const one = <T>(value: unknown, check: (value: unknown) => boolean) => (check(value) ? (value as T) : undefined)
  const character = (value: unknown) => typeof value === 'string' && value.length === 1
  return {
    delimiter: one<string>(given.delimiter, character),
    quote: one<string | null>(given.quote, value => value === null || character(value)),
    escape: one<string | null>(given.escape, value => value === null || character(value)),
    comment: one<string>(given.comment, value => typeof value === 'string'),
    header: Array.isArray(given.header) ? false : one<boolean>(given.header, value => typeof value === 'boolean'),
    fromLine: one<number>(given.fromLine, value => typeof value === 'number'),
  }
}

/** Rows are objects unless the user asks for arrays: columns that have no names get some. */
function namesOf({ header, columnCount }: SniffedDialect): FormatOptions {
  return header ? {} : { header: Array.from({ length: columnCount }, (_, i) => `column_${i + 1}`) }
}

/** `source` as UTF-8. */
async function decoded(source: ByteSource, options: FormatOptions): Promise<ByteSource> {
  const { encoding = 'auto', encodingErrors: onInvalid = 'raise' } = options as {
    encoding?: string
    encodingErrors?: DecodeTextOptions['onInvalid']
  }
  if (encoding === 'auto') return decodeMarkedText(source, onInvalid)
  const { decodeText, prepareEncoding } = await import('./core/encoding.ts')
  await prepareEncoding(encoding, 'read')
  return decodeText(source, { encoding, onInvalid })
}

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

/** The part of the options that a table names. */
function pick(options: FormatOptions, table: OptionTable | undefined): FormatOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => table !== undefined && Object.hasOwn(table, name)),
  )
}

function codecOptions(options: FormatOptions): CodecOptions {
  const { level, maxDecodedBytes, maxRatio, member } = options as CodecOptions
  return { level, maxDecodedBytes, maxRatio, member }
}

/** Cleans up after a failure; what fails on the way is told, but does not hide the first error. */
async function disposeAfter(resource: AsyncDisposable): Promise<void> {
  try {
    await resource[Symbol.asyncDispose]()
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error))
  }
}

function countedSource(source: ByteSource, onBytes: (count: number) => void): ByteSource {
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

function countedSink(sink: ByteSink, onBytes: (count: number) => void): ByteSink {
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

/** Opens what was resolved for reading: place, codecs, encoding and format, one inside the other. */
import { TEXT_READ_OPTIONS } from './core/encoding-options.ts'
import { checkOptions, type OptionTable } from './core/options.ts'
import { decodePath, hasGlob } from './core/target-urls.ts'
import type { ByteSource, FormatOptions, Place, ReadContext, RowReader } from './core/types.ts'
import { codecOptions, countedSource, decoded, disposeAfter, pick } from './opening-parts.ts'
import { type CodecEntry, type FormatEntry, findCodec, findFormat } from './registry.ts'
import { COMMON_READ_OPTIONS, describedBy, formatOf, type Resolution } from './resolve.ts'
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

/** Target and options → what opens them; and the opening itself: source, codecs, format, one inside the other. */
import type { DeadLetter, ErrorPolicy } from './bad-records.ts'
import { createError, excerpt, nearest, redact } from './core/errors.ts'
import { checkOptions, is, type OptionEntry, type OptionTable } from './core/options.ts'
import type {
  Abortable,
  ByteSink,
  ByteSource,
  FormatOptions,
  RandomAccess,
  ReadContext,
  RowReader,
  RowSource,
  RowWriter,
  WriteContext,
} from './core/types.ts'
import type { WriteTarget } from './open.ts'
import {
  type CodecEntry,
  type FormatEntry,
  findCodec,
  findFormat,
  findSource,
  listCodecs,
  listFormats,
  listSources,
  type SourceEntry,
} from './registry.ts'
import { isStandardSchema, type StandardSchema, validatingReader } from './standard-schema.ts'
import type { Writer } from './writer.ts'

/** Options of every target, format and mode. */
export interface CommonOptions {
  /**
   * The format, by its id or one of its extensions: `'csv'`, `'tsv'`, `'jsonl'`, … Default: by the extension of the
   * target's name.
   */
  readonly format?: string | undefined
  /**
   * The codecs, outermost first (the order in which reading undoes them): `['gzip']`; `[]` for none. Default: by the
   * extensions of the target's name.
   */
  readonly codecs?: readonly string[] | undefined
  /** Aborts whatever the handle is doing, and the handle. Its `reason` is what is thrown. */
  readonly signal?: AbortSignal | undefined
  /**
   * What becomes of a bad record or row: `'raise'` throws its error; `'skip'` leaves it out and counts it in
   * `rowsSkipped`; `'quarantine'` leaves it out, counts it in `rowsFailed`, and writes it to `deadLetters`; a function is
   * asked for each. Default: `'raise'`, or `'quarantine'` where `deadLetters` is given.
   */
  readonly onError?: ErrorPolicy | undefined
  /** How many bad records may be left out before TOO_MANY_ERRORS is raised. Default: any number. */
  readonly maxErrors?: number | undefined
  /**
   * Where quarantined records go, as rows of type `DeadLetter`: a target such as `'bad.jsonl'`, published when the
   * handle is done, also without any letter; or a writer of your own, which stays open.
   */
  readonly deadLetters?: WriteTarget | Writer<DeadLetter> | undefined
}

const COMMON: OptionTable = {
  mode: {
    type: "'r' | 'w' | 'a'",
    default: "'r'",
    means: 'Read, write anew, or append.',
    accepts: is.oneOf('r', 'w', 'a'),
  },
  format: {
    type: 'string',
    default: 'by the extension',
    means: 'The format, by its id or one of its extensions.',
    accepts: is.string,
  },
  codecs: {
    type: 'string[]',
    default: 'by the extensions',
    means: 'The codecs, outermost first; `[]` for none.',
    accepts: is.arrayOf(is.string),
  },
  signal: {
    type: 'AbortSignal',
    default: 'none',
    means: 'Aborts whatever the handle is doing.',
    accepts: value => value instanceof AbortSignal,
  },
  onError: {
    type: "'raise' | 'skip' | 'quarantine' | function",
    default: "'raise'; 'quarantine' with `deadLetters`",
    means: 'What becomes of a bad record or row.',
    accepts: is.any(is.oneOf('raise', 'skip', 'quarantine'), is.function),
  },
  maxErrors: {
    type: 'integer from 0',
    default: 'any number',
    means: 'How many bad records may be left out.',
    accepts: is.integer(0),
  },
  deadLetters: {
    type: 'target or writer',
    default: 'none',
    means: 'Where quarantined records go.',
    accepts: () => true,
  },
} satisfies Record<keyof CommonOptions | 'mode', OptionEntry>

const READ_ONLY: OptionTable = {
  schema: {
    type: 'Standard Schema',
    default: 'none',
    means: 'Validates and transforms each row (zod, valibot, arktype, …).',
    accepts: isStandardSchema,
  },
}

const WRITE_ONLY: OptionTable = {
  level: {
    type: 'integer',
    default: "the codec's own",
    means: "Compression level, in the codec's own scale.",
    accepts: is.integer(-(2 ** 31), 2 ** 31),
  },
}

/** The option tables that hold for every format. */
export const COMMON_READ_OPTIONS: OptionTable = { ...COMMON, ...READ_ONLY }
export const COMMON_WRITE_OPTIONS: OptionTable = { ...COMMON, ...WRITE_ONLY }

/** What a target and its options mean, before anything is opened. */
export interface Resolution {
  readonly target: unknown
  readonly entry: SourceEntry
  readonly label: string
  /** Outermost first. */
  readonly codecs: readonly CodecEntry[]
  /** Undefined where neither name nor options tell; an error only if the target turns out to hold bytes. */
  readonly format: FormatEntry | undefined
  /** What the extension implies, then what the user gave. */
  readonly options: FormatOptions
}

/** Finds place, codecs and format of a target. No I/O. Throws OptionErrors. */
export function resolveTarget(target: unknown, options: FormatOptions, direction: 'read' | 'write'): Resolution {
  const entry = findSource(target)
  const can = (plugin: { reads: boolean; writes: boolean }) => (direction === 'read' ? plugin.reads : plugin.writes)
  if (entry === undefined || !can(entry)) throw unsupported(target, direction, entry)
  const label = redact(entry.label(target))
  const name = fileName(entry.fileName?.(target) ?? '')

  const byName = codecsOf(name)
  const codecs = Array.isArray(options.codecs)
    ? (options.codecs as readonly string[]).map(id => findCodec(id) ?? unknownCodec(id))
    : byName.codecs
  const id = typeof options.format === 'string' ? options.format : byName.extension
  const format = id === undefined ? undefined : findFormat(id)
  if (options.format !== undefined && format === undefined) throw unknownFormat(String(options.format), label)
  const plugins: readonly (FormatEntry | CodecEntry)[] = format === undefined ? codecs : [...codecs, format]
  const unable = plugins.find(plugin => !can(plugin))
  if (unable !== undefined) {
    throw createError('FORMAT_UNSUPPORTED', `${unable.title} cannot be ${direction === 'read' ? 'read' : 'written'}`, {
      label,
    })
  }
  const implied = id === undefined ? undefined : format?.extensions[id]
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { target, entry, label, codecs, format, options: { ...implied, ...given } }
}

function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
}

/** The codecs that a name's last extensions tell, outermost first, and the extension before them. */
function codecsOf(name: string): { codecs: CodecEntry[]; extension: string | undefined } {
  const parts = name.toLowerCase().split('.').slice(1)
  const codecs: CodecEntry[] = []
  while (parts.length > 0) {
    const codec = findCodec(parts.at(-1)!)
    if (codec === undefined) break
    codecs.push(codec)
    parts.pop()
  }
  return { codecs, extension: parts.at(-1) }
}

function unsupported(target: unknown, direction: string, entry: SourceEntry | undefined): Error {
  const scheme =
    typeof target === 'string' || target instanceof URL ? /^([a-z][a-z0-9+.-]*):/i.exec(String(target))?.[1] : undefined
  const what = scheme === undefined ? (entry?.title ?? describe(target)) : `${scheme}: URLs`
  const able = listSources().filter(source => (direction === 'read' ? source.reads : source.writes))
  return createError('TARGET_UNSUPPORTED', `nothing here can ${direction} ${what}`, {
    found: what,
    hint: `a target to ${direction} is one of: ${able.map(source => source.title).join('; ')}`,
  })
}

function describe(target: unknown): string {
  if (typeof target === 'string') return excerpt(target)
  if (typeof target !== 'object' || target === null) return String(target)
  return `an object of type ${target.constructor?.name ?? 'null'}`
}

function unknownCodec(id: string): never {
  const ids = listCodecs().map(codec => codec.id)
  throw createError('CODEC_UNKNOWN', `there is no codec ${excerpt(id)}`, {
    found: id,
    hint: `codecs are: ${ids.join(', ')}`,
  })
}

function unknownFormat(id: string, label: string): Error {
  const names = listFormats().flatMap(format => [format.id, ...Object.keys(format.extensions)])
  const near = nearest(id, names)
  return createError('FORMAT_UNKNOWN', `there is no format ${excerpt(id)}`, {
    label,
    found: id,
    hint: near === undefined ? `formats are: ${[...new Set(names)].join(', ')}` : `did you mean ${near}?`,
  })
}

function formatOf(resolution: Resolution): FormatEntry {
  const { format, label } = resolution
  if (format !== undefined) return format
  const ids = listFormats().map(entry => entry.id)
  throw createError('FORMAT_UNKNOWN', 'the name does not tell the format', {
    label,
    hint: `name it, as in { format: '${ids[0]}' }; formats are: ${ids.join(', ')}`,
  })
}

/** The part of the options that a table names. */
function pick(options: FormatOptions, table: OptionTable | undefined): FormatOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => table !== undefined && Object.hasOwn(table, name)),
  )
}

/** An open reader and what it stands on. */
export interface OpenedReader {
  readonly reader: RowReader
  readonly replayable: boolean
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
  const placeOptions = pick(options, place.readOptions)
  if (resolution.format === undefined && resolution.entry.id !== 'iterable') formatOf(resolution)
  const format = await resolution.format?.load()
  checkOptions(
    options,
    [COMMON_READ_OPTIONS, place.readOptions ?? {}, format?.readOptions ?? {}],
    `reading ${resolution.format?.id ?? entry.id}`,
  )
  signal.throwIfAborted()
  const source = await place.openSource!(target, { signal, options: placeOptions })
  const { schema } = options as { schema?: StandardSchema }
  const validated = (reader: RowReader) => (schema === undefined ? reader : validatingReader(reader, schema, context))
  let outermost: AsyncDisposable = source
  try {
    signal.throwIfAborted()
    if ('openReader' in source) {
      return { reader: validated(await source.openReader(context)), replayable: source.replayable }
    }
    formatOf(resolution)
    let bytes = countedSource(source, onBytes)
    for (const codec of resolution.codecs) {
      bytes = (await codec.load()).decode(bytes, {})
      outermost = bytes
    }
    const reader = await format!.openReader!(bytes, pick(options, format!.readOptions), context)
    outermost = reader
    await reader.ready?.({ signal })
    signal.throwIfAborted()
    return { reader: validated(reader), replayable: source.replayable }
  } catch (error) {
    await disposeAfter(outermost)
    throw error
  }
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
  const placeOptions = pick(options, place.writeOptions)
  const format = await resolution.format?.load()
  checkOptions(
    options,
    [COMMON_WRITE_OPTIONS, place.writeOptions ?? {}, format?.writeOptions ?? {}],
    `writing ${resolution.format?.id ?? entry.id}`,
  )
  signal.throwIfAborted()
  const existing = append ? await inspectExisting(resolution, context) : undefined
  const sink = await place.openSink!(target, { signal, options: placeOptions, append })
  let outermost: AsyncDisposable = sink
  try {
    signal.throwIfAborted()
    if ('openWriter' in sink) return await sink.openWriter({ ...context, appending: append })
    formatOf(resolution)
    let bytes = countedSink(sink, onBytes)
    for (const codec of resolution.codecs) {
      const { level } = options as { level?: number }
      bytes = (await codec.load()).encode(bytes, level === undefined ? {} : { level })
      outermost = bytes
    }
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

/** What a target that is appended to holds; undefined where it does not exist or is empty. */
async function inspectExisting(resolution: Resolution, context: Omit<WriteContext, 'appending'>) {
  const { entry, target, options, label } = resolution
  const { signal } = context
  const place = await entry.load()
  const entryFormat = formatOf(resolution)
  const format = await entryFormat.load()
  if (place.openSource === undefined || !entry.reads) return undefined
  if (format.inspectExisting === undefined) {
    throw createError('FORMAT_UNSUPPORTED', `${entryFormat.title} cannot be appended to`, { label })
  }
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
    let bytes: ByteSource = source
    for (const codec of resolution.codecs) {
      bytes = (await codec.load()).decode(bytes, {})
      outermost = bytes
    }
    if (resolution.codecs.length > 0 && (await isEmpty(bytes, { signal }))) return undefined
    return await format.inspectExisting(bytes, pick(options, format.writeOptions), {
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
  return {
    label: sink.label,
    ...(sink.localPath === undefined ? {} : { localPath: sink.localPath }),
    async write(chunk) {
      await sink.write(chunk)
      onBytes(chunk.length)
    },
    close: () => sink.close(),
    abort: reason => sink.abort(reason),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
}

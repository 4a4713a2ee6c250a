/** Target and options → the place, the codecs and the format that open it. No I/O. */
import type { DeadLetter, ErrorPolicy } from './bad-records.ts'
import { createError, excerpt, nearest, redact } from './core/errors.ts'
import { is, type OptionEntry, type OptionTable } from './core/options.ts'
import type { FormatOptions } from './core/types.ts'
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
import { isStandardSchema } from './standard-schema.ts'
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
  /** Aborts whatever the handle is doing, and the handle. Its `reason` is what is thrown. Default: none. */
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
   * handle is done, also without any letter; or a writer of your own, which stays open. Default: nowhere.
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
    accepts: is.signal,
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
  sniff: {
    type: 'boolean',
    default: 'where the name does not tell the format',
    means: 'Looks at the content to tell codecs, format and dialect.',
    accepts: is.boolean,
  },
  schema: {
    type: 'Standard Schema',
    default: 'none',
    means: 'Validates and transforms each row (zod, valibot, arktype, …).',
    accepts: isStandardSchema,
  },
  glob: {
    type: 'boolean',
    default: 'a pattern, unless something of that very name exists',
    means:
      'Whether `*`, `?`, `[…]`, `{…}` and `**` in a path or s3: URL make it a pattern, all files of which are read.',
    accepts: is.boolean,
  },
  fileNameColumn: {
    type: 'string',
    default: 'none',
    means: 'A column to add, which says what file each row comes from.',
    accepts: is.string,
  },
  members: {
    type: "'one' | 'all'",
    default: "'one'",
    means: 'Whether one member of an archive is read, or all that `member` means, one after the other.',
    accepts: is.oneOf('one', 'all'),
  },
  maxDecodedBytes: {
    type: 'integer from 0, or Infinity',
    default: 'Infinity',
    means: 'Most bytes that may come out of a codec.',
    accepts: is.any(is.integer(0), is.oneOf(Number.POSITIVE_INFINITY)),
  },
  maxRatio: {
    type: 'number from 1, or Infinity',
    default: '1000',
    means: 'Most bytes that may come out of a codec for each that goes in, from 16 MiB on.',
    accepts: value => typeof value === 'number' && value >= 1,
  },
  maxSpoolBytes: {
    type: 'integer from 0, or Infinity',
    default: 'Infinity',
    means: 'Most bytes of the temp file that a format needs which cannot be read as a stream (Parquet).',
    accepts: is.any(is.integer(0), is.oneOf(Number.POSITIVE_INFINITY)),
  },
}

const MEMBER: OptionEntry = {
  type: 'string',
  default: 'the only one; on writing, the name without .zip',
  means: 'The member of an archive: its name, or on reading a pattern with `*` and `?`.',
  accepts: is.string,
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
export const COMMON_READ_OPTIONS: OptionTable = { ...COMMON, ...READ_ONLY, member: MEMBER }
export const COMMON_WRITE_OPTIONS: OptionTable = { ...COMMON, ...WRITE_ONLY, member: MEMBER }

/** What a target and its options mean, before anything is opened. */
export interface Resolution {
  readonly target: unknown
  readonly entry: SourceEntry
  readonly label: string
  /** The target's file name, where it has one. */
  readonly name: string
  /** Outermost first. */
  readonly codecs: readonly CodecEntry[]
  /** Undefined where neither name nor options tell; an error only if the target turns out to hold bytes. */
  readonly format: FormatEntry | undefined
  /** What the user gave. */
  readonly given: FormatOptions
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
  return { target, entry, label, name, codecs, format, given, options: { ...implied, ...given } }
}

/**
 * The same target, where the place knows more of its content than the target tells: a name, which stands for the target's
 * where it tells the format, and a media type, which is a hint for the content to be looked at. What the user said stands.
 */
export function describedBy(
  resolution: Resolution,
  { fileName: told, mediaType }: { readonly fileName?: string; readonly mediaType?: string },
): Resolution {
  const { given } = resolution
  const name = told === undefined ? resolution.name : fileName(told)
  const { codecs, extension = '' } = codecsOf(name)
  const format = findFormat(extension)
  if (told !== undefined && format?.reads === true) {
    return {
      ...resolution,
      name,
      codecs: Array.isArray(given.codecs) ? resolution.codecs : codecs,
      format: given.format === undefined ? format : resolution.format,
      options: given.format === undefined ? { ...format.extensions[extension], ...given } : resolution.options,
    }
  }
  if (resolution.format !== undefined || mediaType === undefined) return resolution
  const meant = listFormats().find(entry => Object.hasOwn(entry.mediaTypes ?? {}, mediaType))?.mediaTypes?.[mediaType]
  return meant === undefined ? resolution : { ...resolution, name: `${name || 'content'}.${meant}` }
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

/** The format of a target. Throws FORMAT_UNKNOWN where neither name nor options tell it. */
export function formatOf(resolution: Resolution): FormatEntry {
  const { format, label } = resolution
  if (format !== undefined) return format
  const ids = listFormats().map(entry => entry.id)
  throw createError('FORMAT_UNKNOWN', 'the name does not tell the format', {
    label,
    hint: `name it, as in { format: '${ids[0]}' }; formats are: ${ids.join(', ')}`,
  })
}

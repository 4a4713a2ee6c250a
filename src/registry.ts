/**
 * What the library knows: formats, codecs and kinds of places. One entry is one plug-in, built in (`built-in.ts`) or
 * registered; an entry is data, and its code is loaded only when a target needs it.
 */

import { BUILT_IN_CODECS, BUILT_IN_FORMATS, BUILT_IN_SOURCES } from './built-in.ts'
import { createError } from './core/errors.ts'
import type { Codec, Format, FormatOptions, Place } from './core/types.ts'

/** A format: its names and abilities, and where its code is. */
export interface FormatEntry {
  /**
   * A name in lower case, which the option `format` takes; unique among formats and their extensions, else
   * PLUGIN_INVALID.
   */
  readonly id: string
  /** Name for people. */
  readonly title: string
  /**
   * File name extensions without the dot, which are also names for `format`, each with the options that it implies:
   * `{ csv: {}, tsv: { delimiter: '\t' } }`.
   */
  readonly extensions: Readonly<Record<string, FormatOptions>>
  /** Media types that the format goes by, each with the extension that stands for it: `{ 'text/csv': 'csv' }`. */
  readonly mediaTypes?: Readonly<Record<string, string>>
  /** Whether `load` gives a format with `openReader`. */
  readonly reads: boolean
  /** Whether `load` gives a format with `openWriter`. */
  readonly writes: boolean
  /** Set where the bytes are text: encodings apply, and the format itself reads and writes UTF-8. */
  readonly text?: true
  /** Set where the file declares the types of its columns, so that text converted into it gets types. */
  readonly typed?: true
  /** What the format needs of a source to read it; the resolver gives it that. */
  readonly needs: 'stream' | 'random' | 'localPath'
  /** The npm package that must be installed beside this one. */
  readonly peer?: string
  /** Gets the code, when a target needs it for the first time. */
  load(): Promise<Format>
}

/** A codec: its names and abilities, and where its code is. */
export interface CodecEntry {
  /**
   * A name in lower case, which the option `codecs` takes; unique among codecs and their extensions, else
   * PLUGIN_INVALID.
   */
  readonly id: string
  /** Name for people. */
  readonly title: string
  /** File name extensions without the dot, which are also names for `codecs`. */
  readonly extensions: readonly string[]
  /** How the source is read best. Default: `'stream'`. */
  readonly needs?: 'stream' | 'random'
  /** Whether readers take several encoded pieces, one after the other, as one: what appending needs. */
  readonly appends?: boolean
  /** Whether its `decode` can be called. */
  readonly reads: boolean
  /** Whether its `encode` can be called. */
  readonly writes: boolean
  /** The npm package that must be installed beside this one. */
  readonly peer?: string
  /** Gets the code, when a target needs it for the first time. */
  load(): Promise<Codec>
}

/** A kind of place: which targets it opens, and where its code is. */
export interface SourceEntry {
  /** A name in lower case; unique among places, else PLUGIN_INVALID. */
  readonly id: string
  /** Name for people. */
  readonly title: string
  /** Whether `load` gives a place with `openSource`. */
  readonly reads: boolean
  /** Whether `load` gives a place with `openSink`. */
  readonly writes: boolean
  /** Set where the place always holds rows: no format and no codec has options to add. */
  readonly rows?: true
  /** Set where columns have types that are declared, so that text converted into it gets types. */
  readonly typed?: true
  /** The npm package that must be installed beside this one. */
  readonly peer?: string
  /** Whether this place opens `target`. Does no I/O. Registered places are asked before the built-in ones. */
  accepts(target: unknown): boolean
  /** What a message calls the target. Without credentials. */
  label(target: unknown): string
  /** The file name that extensions are read from, where the target has one. */
  fileName?(target: unknown): string | undefined
  /** Gets the code, when a target needs it for the first time. */
  load(): Promise<Place>
}

const formats = new Map<string, FormatEntry>(BUILT_IN_FORMATS.map(entry => [entry.id, entry]))
const codecs = new Map<string, CodecEntry>(BUILT_IN_CODECS.map(entry => [entry.id, entry]))
const sources = new Map<string, SourceEntry>(BUILT_IN_SOURCES.map(entry => [entry.id, entry]))

/** Adds a format. Its id and its extensions must be free. Throws PLUGIN_INVALID. */
export function registerFormat(entry: FormatEntry): void {
  const names = [entry.id, ...Object.keys(entry.extensions)]
  add(formats, entry, 'format', names, name => findFormat(name)?.id)
}

/** Adds a codec. Its id and its extensions must be free. Throws PLUGIN_INVALID. */
export function registerCodec(entry: CodecEntry): void {
  add(codecs, entry, 'codec', [entry.id, ...entry.extensions], name => findCodec(name)?.id)
}

/** Adds a kind of place, which is asked before those that are there. Throws PLUGIN_INVALID. */
export function registerSource(entry: SourceEntry): void {
  if (typeof entry.accepts !== 'function') throw createError('PLUGIN_INVALID', `source ${entry.id} has no accepts()`)
  add(sources, entry, 'source', [entry.id], name => sources.get(name)?.id)
}

function add<E extends { readonly id: string; load(): unknown }>(
  table: Map<string, E>,
  entry: E,
  kind: string,
  names: readonly string[],
  takenBy: (name: string) => string | undefined,
): void {
  if (typeof entry.load !== 'function') throw createError('PLUGIN_INVALID', `${kind} ${entry.id} has no load()`)
  for (const name of names) {
    if (!/^[a-z0-9][a-z0-9._+-]*$/.test(name)) {
      throw createError(
        'PLUGIN_INVALID',
        `${kind} ${entry.id}: ${JSON.stringify(name)} is no name; lower case letters, digits and . _ + - are`,
      )
    }
    const owner = takenBy(name)
    if (owner !== undefined)
      throw createError('PLUGIN_INVALID', `${kind} ${entry.id}: the name ${name} belongs to ${owner}`)
  }
  table.set(entry.id, Object.freeze({ ...entry }))
}

/** The format of an id or an extension. */
export function findFormat(name: string): FormatEntry | undefined {
  return formats.get(name) ?? [...formats.values()].find(entry => Object.hasOwn(entry.extensions, name))
}

/** The codec of an id or an extension. */
export function findCodec(name: string): CodecEntry | undefined {
  return codecs.get(name) ?? [...codecs.values()].find(entry => entry.extensions.includes(name))
}

/** The kind of place that opens a target. */
export function findSource(target: unknown): SourceEntry | undefined {
  const all = [...sources.values()]
  return [...all.slice(BUILT_IN_SOURCES.length).reverse(), ...BUILT_IN_SOURCES].find(entry => entry.accepts(target))
}

export const listFormats = (): readonly FormatEntry[] => [...formats.values()]
export const listCodecs = (): readonly CodecEntry[] => [...codecs.values()]
export const listSources = (): readonly SourceEntry[] => [...sources.values()]

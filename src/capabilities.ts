/** What the library can do here and now, as data. */
import { listCodecs, listFormats, listSources } from './registry.ts'

/** What one plug-in can do. */
export interface Capability {
  /** The id, as options and errors name it: `csv`, `gzip`, `s3`. */
  readonly id: string
  /** Name for people. */
  readonly title: string
  /** Whether it can be read. */
  readonly reads: boolean
  /** Whether it can be written. */
  readonly writes: boolean
  /** The npm package that it needs beside this one; undefined where it needs none. */
  readonly peer: string | undefined
  /** Whether that package is there; true where it needs none. */
  readonly installed: boolean
}

/** What a format can do. */
export interface FormatCapability extends Capability {
  /** File name extensions, without the dot; also names for the option `format`. */
  readonly extensions: readonly string[]
  /** Whether it reads a stream as it comes. Otherwise it needs the whole source, at random or as a local file. */
  readonly streams: boolean
}

/** What a codec can do. */
export interface CodecCapability extends Capability {
  /** File name extensions, without the dot; also names for the option `codecs`. */
  readonly extensions: readonly string[]
}

/** What there is: built-in plug-ins, and those that were registered. */
export interface Capabilities {
  /** Formats, in the order of their registration, the built-in ones first. */
  readonly formats: readonly FormatCapability[]
  /** Codecs, in the same order. */
  readonly codecs: readonly CodecCapability[]
  /** Kinds of places, in the same order. */
  readonly sources: readonly Capability[]
}

/** All formats, codecs and kinds of places, the registered ones included. Loads none of them. */
export function capabilities(): Capabilities {
  return {
    formats: listFormats().map(entry => ({
      ...common(entry),
      extensions: Object.keys(entry.extensions),
      streams: entry.needs === 'stream',
    })),
    codecs: listCodecs().map(entry => ({ ...common(entry), extensions: entry.extensions })),
    sources: listSources().map(common),
  }
}

interface Entry {
  readonly id: string
  readonly title: string
  readonly reads: boolean
  readonly writes: boolean
  readonly peer?: string
}

function common({ id, title, reads, writes, peer }: Entry): Capability {
  return { id, title, reads, writes, peer, installed: peer === undefined || isInstalled(peer) }
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}

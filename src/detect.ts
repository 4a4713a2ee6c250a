/** What a target is: its codecs, layer by layer, its format, encoding and dialect. */
import { createError } from './core/errors.ts'
import { checkOptions, is, type OptionEntry, type OptionTable } from './core/options.ts'
import { findSource } from './registry.ts'
import type { Detection } from './sniff/detection.ts'
import type { GivenDialect } from './sniff/dialect.ts'
import type { GivenChoices } from './sniff/index.ts'

/** Options of `detect()`: what is given is not sniffed. */
export interface DetectOptions extends Omit<GivenDialect, 'impliedBy'> {
  /** The format, by its id or one of its extensions. Default: sniffed. */
  readonly format?: string | undefined
  /** The codecs, outermost first; `[]` for none. Default: sniffed. */
  readonly codecs?: readonly string[] | undefined
  /** The encoding of the text, as `TextDecoder` names it. Default: sniffed. */
  readonly encoding?: string | undefined
  /** Bytes to look at in each layer. Default 65,536. */
  readonly sampleBytes?: number | undefined
  /** Calls it off: `detect` rejects with `signal.reason`. Default: none. */
  readonly signal?: AbortSignal | undefined
}

const DETECT_OPTIONS: OptionTable = {
  format: { type: 'string', default: 'sniffed', means: 'The format.', accepts: is.string },
  codecs: {
    type: 'string[]',
    default: 'sniffed',
    means: 'The codecs, outermost first.',
    accepts: is.arrayOf(is.string),
  },
  encoding: { type: 'string', default: 'sniffed', means: 'The encoding of the text.', accepts: is.string },
  sampleBytes: {
    type: 'integer of 16 or more',
    default: '65,536',
    means: 'Bytes to look at in each layer.',
    accepts: is.integer(16, 1 << 30),
  },
  signal: {
    type: 'AbortSignal',
    default: 'none',
    means: 'Aborts the detection.',
    accepts: is.signal,
  },
  delimiter: { type: 'one character', default: 'sniffed', means: 'The delimiter.', accepts: oneCharacter },
  quote: {
    type: 'one character or null',
    default: 'sniffed',
    means: 'The quote.',
    accepts: is.any(oneCharacter, is.null),
  },
  escape: {
    type: 'one character or null',
    default: 'sniffed',
    means: 'The escape.',
    accepts: is.any(oneCharacter, is.null),
  },
  comment: { type: 'string', default: 'sniffed', means: 'What begins a comment line.', accepts: is.string },
  header: {
    type: 'boolean',
    default: 'sniffed',
    means: 'Whether the first record names the columns.',
    accepts: is.boolean,
  },
  fromLine: { type: 'integer', default: 'sniffed', means: 'Line at which the table begins.', accepts: is.integer(1) },
} satisfies Record<keyof DetectOptions, OptionEntry>

function oneCharacter(value: unknown): boolean {
  return typeof value === 'string' && value.length === 1
}

/**
 * Finds out what a target holds from its name and the first bytes of each layer, and says what that rests on. Reads no
 * more than it needs. What it reads from a target that can be read only once (a stream) is gone: open such a target
 * with `openIterable`, which detects too and loses nothing. A target that holds rows has neither codecs nor a format.
 *
 * Rejects as opening the target would where it cannot be read. That nothing here reads what was found is no rejection:
 * `obstacle` has it.
 */
export async function detect(target: unknown, options: DetectOptions = {}): Promise<Detection> {
  const entry = findSource(target)
  if (entry === undefined || !entry.reads) {
    throw createError('TARGET_UNSUPPORTED', 'nothing here reads this target', { found: typeof target })
  }
  const place = await entry.load()
  checkOptions({ ...options }, [DETECT_OPTIONS, place.readOptions ?? {}], 'detect()')
  const signal = options.signal ?? new AbortController().signal
  signal.throwIfAborted()
  const placeOptions = Object.fromEntries(
    Object.entries(options).filter(
      ([name]) => place.readOptions !== undefined && Object.hasOwn(place.readOptions, name),
    ),
  )
  const source = await place.openSource!(target, { signal, options: placeOptions })
  if ('openReader' in source) {
    await source[Symbol.asyncDispose]()
    return { codecs: [], confidence: {}, evidence: ['the target holds rows, not bytes'], candidates: [] }
  }
  const { LayerWalk } = await import('./sniff/layers.ts')
  const { sampleBytes } = options
  const walk = new LayerWalk(source, {
    name: source.fileName ?? entry.fileName?.(target),
    given: given(options),
    sampleBytes,
  })
  try {
    return await walk.run(signal)
  } catch (error) {
    if ((error as { code?: unknown }).code?.toString().startsWith('CODEC_') !== true) throw error
    return walk.failed(error as Error)
  } finally {
    await walk.source[Symbol.asyncDispose]()
  }
}

function given(options: DetectOptions): GivenChoices {
  const { format, codecs, encoding, delimiter, quote, escape, comment, header, fromLine } = options
  return { format, codecs, encoding, dialect: { delimiter, quote, escape, comment, header, fromLine } }
}

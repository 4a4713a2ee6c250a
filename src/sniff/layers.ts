/** Looks into a source layer by layer: through its codecs, down to the format. */
import { createError } from '../core/errors.ts'
import { peek } from '../core/peek.ts'
import type { ByteSource, CodecOptions } from '../core/types.ts'
import { findCodec, listFormats } from '../registry.ts'
import { type Detection, isReadable } from './detection.ts'
import { type GivenChoices, nameInside, sniff } from './index.ts'

/** Bytes that are looked at in each layer, where nothing else is said. */
const SAMPLE_BYTES = 65_536
/** A file that is compressed more often than this is made to be. */
const MAX_LAYERS = 8

/** What `sniffDeep` needs to know. */
export interface DeepHints {
  /** File name, with its extensions. */
  readonly name?: string | undefined
  readonly given?: GivenChoices | undefined
  readonly sampleBytes?: number | undefined
  /** Limits of the codecs, and the member of an archive. */
  readonly codecOptions?: CodecOptions | undefined
  readonly signal: AbortSignal
}

/** What `sniffDeep` found, and the source to read in place of the one that it was given. */
export interface DeepDetection {
  readonly detection: Detection
  /** Decoded, from its first byte. Disposing it disposes the source that was given. */
  readonly source: ByteSource
}

/**
 * Sniffs `source` and what is inside its codecs, to any depth that is meant, and gives the decoded source. Where a codec
 * is not there to be loaded, or there is another obstacle, it stops there: `detection.obstacle` says so. A rejection has
 * disposed the source.
 */
export async function sniffDeep(source: ByteSource, hints: DeepHints): Promise<DeepDetection> {
  const walk = new LayerWalk(source, hints)
  try {
    return { detection: await walk.run(hints.signal), source: walk.source }
  } catch (error) {
    await walk.source[Symbol.asyncDispose]()
    throw error
  }
}

/** The way from the outermost layer in. */
export class LayerWalk {
  /** Of the layer that was reached. */
  source: ByteSource
  #name: string
  readonly #given: GivenChoices
  readonly #sampleBytes: number
  readonly #codecOptions: CodecOptions
  readonly #codecs: string[] = []
  readonly #evidence: string[] = []
  /** How sure the least sure codec is. */
  #confidence = 1
  /** What the last layer said of what is inside it. */
  #last: Detection | undefined

  constructor(
    source: ByteSource,
    { name = '', given = {}, sampleBytes, codecOptions = {} }: Omit<DeepHints, 'signal'>,
  ) {
    this.source = source
    this.#name = name
    this.#given = given
    this.#sampleBytes = sampleBytes ?? SAMPLE_BYTES
    this.#codecOptions = codecOptions
  }

  async run(signal: AbortSignal): Promise<Detection> {
    for (;;) {
      const seen = await peek(this.source, this.#sampleBytes, signal)
      this.source = seen.source
      const codecs = this.#given.codecs?.slice(this.#codecs.length)
      const given = codecs === undefined ? this.#given : { ...this.#given, codecs }
      const found = sniff(seen.sample, { name: this.#name, complete: seen.complete, given })
      const codec = found.codecs[0]
      if (codec === undefined) {
        const failed = seen.failure === undefined ? [] : [`then: ${messageOf(seen.failure)}`]
        return this.#whole(found, failed)
      }
      this.#codecs.push(codec)
      this.#confidence = Math.min(this.#confidence, found.confidence.codecs ?? 0)
      this.#last = found
      if (found.obstacle !== undefined || !isReadable.codec(codec)) {
        return this.#whole(
          { ...found, obstacle: found.obstacle ?? `the content is in ${codec}, which nothing here reads` },
          [],
        )
      }
      if (this.#codecs.length > MAX_LAYERS) {
        return this.#whole({ ...found, obstacle: `more than ${MAX_LAYERS} codecs lie around the content` }, [])
      }
      this.#evidence.push(...found.evidence.filter(sentence => !this.#evidence.includes(sentence)))
      const decoder = await findCodec(codec)!.load()
      const inner = await decoder.innerName?.(this.source, { ...this.#codecOptions, signal })
      this.#name = inner ?? nameInside(this.#name, codec)
      this.source = decoder.decode(this.source, this.#codecOptions)
    }
  }

  /** What is known where the last codec could not be undone. */
  failed(error: Error): Detection {
    const last = this.#last ?? { codecs: [], confidence: {}, evidence: [], candidates: [] }
    return this.#whole({ ...last, evidence: [], obstacle: `the content cannot be decoded: ${messageOf(error)}` }, [])
  }

  #whole(found: Detection, more: readonly string[]): Detection {
    const { codecs: _, confidence, evidence, ...rest } = found
    const around = this.#codecs.length > 0 || this.#given.codecs !== undefined
    return {
      ...rest,
      codecs: this.#codecs,
      confidence: { ...confidence, ...(around ? { codecs: this.#confidence } : {}) },
      evidence: [...this.#evidence, ...evidence.filter(sentence => !this.#evidence.includes(sentence)), ...more],
    }
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** The error for a detection that nothing can be opened by; undefined where something can. */
export function refusalOf(detection: Detection, label: string): Error | undefined {
  const { format, obstacle, candidates, evidence } = detection
  if (obstacle !== undefined) {
    return createError('FORMAT_UNSUPPORTED', obstacle, { label, found: evidence.join('; ') })
  }
  if (format !== undefined) return undefined
  const readable = listFormats().filter(entry => entry.reads)
  const likely = candidates.filter(candidate => candidate.confidence >= 0.05)
  const names = likely.map(({ format: id, confidence, why }) => `${id} (${confidence.toFixed(2)}: ${why})`)
  const ids = readable.map(entry => entry.id).join(', ')
  const example = likely.find(candidate => isReadable.format(candidate.format))?.format ?? readable[0]?.id ?? 'csv'
  return createError('FORMAT_UNKNOWN', 'neither the name nor the content tells the format', {
    label,
    ...(names.length > 0 ? { found: names.join('; ') } : {}),
    hint: `${names.length === 0 ? '' : `it may be ${names.join(', or ')}; `}name it, as in { format: '${example}' }; formats are: ${ids}`,
  })
}

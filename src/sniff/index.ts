/** First bytes → what they are: codec, format, encoding and dialect. Pure: no I/O, nothing is loaded. */
import { findCodec, findFormat } from '../registry.ts'
import { type Content, sniffContent } from './content.ts'
import { type Confidence, type Detection, type FormatCandidate, isReadable, type SniffedDialect } from './detection.ts'
import type { GivenDialect } from './dialect.ts'
import { sniffText } from './encoding.ts'
import { codecMagic, type Recognised, recognise } from './signatures.ts'

/** What is known besides the bytes. */
export interface SniffHints {
  /** File name, with its extensions. */
  readonly name?: string | undefined
  /** Whether the sample is all there is. */
  readonly complete: boolean
  /** What the user has said; it is never overridden. */
  readonly given?: GivenChoices | undefined
}

/** Options that decide what would otherwise be sniffed. */
export interface GivenChoices {
  readonly format?: string | undefined
  /** Outermost first; `[]`: none. */
  readonly codecs?: readonly string[] | undefined
  readonly encoding?: string | undefined
  readonly dialect?: GivenDialect | undefined
}

/** From this confidence on, content alone decides the format. */
const DECIDES = 0.5
/** By how much the most likely format must be more likely than the next. */
const MARGIN = 0.1

/**
 * Looks at the outermost layer. Where it is a codec, `codecs` has that one alone and the format is what the name says
 * of the inside, if anything; decode and sniff again to know more (`sniffDeep` does).
 */
export function sniff(sample: Uint8Array, hints: SniffHints): Detection {
  const { name = '', given = {} } = hints
  const recognised = sample.length === 0 ? undefined : recognise(sample)
  const evidence: string[] = []
  const layer = outerCodec(sample, recognised, name, given, evidence)
  if (layer !== undefined) return ofCodec(layer, name, given, evidence)
  return ofFormat(sample, recognised, hints, evidence)
}

/** A name without the extension of a codec at its end. */
export function nameInside(name: string, codec: string): string {
  const extension = extensionOf(name)
  return extension !== undefined && findCodec(extension)?.id === codec ? name.slice(0, -extension.length - 1) : name
}

function extensionOf(name: string): string | undefined {
  return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase()
}

interface Layer {
  readonly codec: string
  readonly confidence: number
  readonly obstacle?: string
}

function outerCodec(
  sample: Uint8Array,
  recognised: Recognised | undefined,
  name: string,
  given: GivenChoices,
  evidence: string[],
): Layer | undefined {
  const seen = recognised?.kind === 'codec' ? recognised : undefined
  if (given.codecs !== undefined) {
    const codec = given.codecs[0] === undefined ? undefined : (findCodec(given.codecs[0])?.id ?? given.codecs[0])
    if (seen !== undefined && seen.id !== codec) {
      evidence.push(`${told(seen)}, but ${codec === undefined ? 'no codec' : codec} was given`)
    } else if (codec !== undefined) evidence.push(`the codec ${codec} was given`)
    return codec === undefined ? undefined : { codec, confidence: 1 }
  }
  const extension = extensionOf(name)
  const named = extension === undefined ? undefined : findCodec(extension)?.id
  if (named === undefined || named === seen?.id) {
    if (seen === undefined) return undefined
    const without = named === undefined && extension !== undefined ? `, though it is named .${extension}` : ''
    evidence.push(`${told(seen)}${without}`)
    return { codec: seen.id, confidence: named === undefined ? 0.98 : 1, ...missing('codec', seen) }
  }
  evidence.push(`the name ends with .${extension}: ${named}`)
  const magic = codecMagic(named)
  if (seen === undefined && (magic === undefined || sample.length < magic.length))
    return { codec: named, confidence: 0.8 }
  const found = seen ?? recognised
  const instead = found === undefined ? `does not begin as ${named} does` : `${found.seen}: ${found.title}`
  const codecs = seen === undefined ? '[]' : `['${seen.id}']`
  const obstacle = `the name says ${named}, but the content ${instead}; if the name is wrong, give { codecs: ${codecs} }`
  evidence.push(obstacle)
  return { codec: named, confidence: 0.1, obstacle }
}

const told = ({ seen, title }: Recognised) => `${seen}: ${title}`

/** Says that a codec or format is known by sight only. */
function missing(kind: 'codec' | 'format', { id, title }: Recognised): { obstacle?: string } {
  return isReadable[kind](id) ? {} : { obstacle: `the content is ${title}, which nothing here reads` }
}

function ofCodec(layer: Layer, name: string, given: GivenChoices, evidence: string[]): Detection {
  const { codec, confidence, obstacle } = layer
  const inner = extensionOf(nameInside(name, codec))
  const format =
    given.format === undefined ? (inner === undefined ? undefined : findFormat(inner)?.id) : idOf(given.format)
  if (given.format !== undefined) evidence.push(`the format ${format} was given`)
  else if (format !== undefined) evidence.push(`the name says .${inner}: ${format}`)
  return {
    ...(format === undefined ? {} : { format }),
    codecs: [codec],
    confidence: {
      codecs: confidence,
      ...(format === undefined ? {} : { format: given.format === undefined ? BY_NAME : 1 }),
    },
    evidence,
    candidates: [],
    ...(obstacle === undefined ? {} : { obstacle }),
  }
}

const idOf = (format: string) => findFormat(format)?.id ?? format

/** Confidence of a format that the name says and the content neither supports nor denies. */
const BY_NAME = 0.6
const AGREED = 0.99
const DENIED = 0.3

function ofFormat(
  sample: Uint8Array,
  recognised: Recognised | undefined,
  hints: SniffHints,
  evidence: string[],
): Detection {
  const { name = '', complete, given = {} } = hints
  const extension = extensionOf(name)
  const named = extension === undefined ? undefined : findFormat(extension)
  const settled = given.format === undefined ? named?.id : idOf(given.format)
  const names = given.format ?? extension
  const implied = names === undefined ? undefined : findFormat(names)?.extensions[names]
  const content = look(sample, recognised, complete, settled === 'csv', {
    ...impliedDialect(implied, given.format === undefined ? `.${names}` : `the format ${names}`),
    ...defined(given.dialect),
  })

  const confidence: { -readonly [K in keyof Confidence]: Confidence[K] } = {}
  let format = settled
  let { obstacle } = content
  const [first, second] = content.candidates
  if (given.format !== undefined) {
    evidence.push(`the format ${format} was given`)
    confidence.format = 1
  } else if (named !== undefined) {
    evidence.push(`the name ends with .${extension}: ${named.id}`)
    confidence.format = BY_NAME
    if (first?.format === named.id && first.confidence >= DECIDES) confidence.format = AGREED
    else if (obstacle !== undefined) confidence.format = 0.1
    else if (first !== undefined && first.confidence >= 0.8 && first.format !== named.id) {
      confidence.format = DENIED
      evidence.push(`the content looks like ${first.format} instead: ${first.why}`)
    }
  } else if (
    first !== undefined &&
    first.confidence >= DECIDES &&
    first.confidence - (second?.confidence ?? 0) >= MARGIN
  ) {
    format = first.format
    confidence.format = first.confidence
    if (content.recognised === undefined)
      evidence.push(first.format === 'csv' ? 'the content is delimited text: csv' : `${first.why}: ${first.format}`)
  }
  if (sample.length === 0) evidence.push('the input is empty')
  else if (content.sentences.length > 0) evidence.push(...content.sentences)

  if (content.recognised !== undefined && obstacle === undefined && format !== content.recognised.id) {
    obstacle = `the content is ${content.recognised.title}, not ${format ?? 'a table'}`
  }
  if (obstacle === undefined && content.text !== undefined && /^utf-32/.test(content.text.encoding)) {
    obstacle = `the text is in ${content.text.encoding}, which nothing here decodes`
  }
  if (obstacle === undefined && format !== undefined && !isReadable.format(format)) {
    obstacle = `the content is ${format}, which nothing here reads`
  }
  let encoding: string | undefined
  if (content.text !== undefined && sample.length > 0) {
    encoding = given.encoding ?? content.text.encoding
    confidence.encoding = given.encoding === undefined ? content.text.confidence : 1
    evidence.push(given.encoding === undefined ? content.text.why : `the encoding ${given.encoding} was given`)
  }
  let dialect: SniffedDialect | undefined
  // Without a format the dialect is what makes csv a candidate.
  if (content.dialect !== undefined && (format === 'csv' || (format === undefined && first?.format === 'csv'))) {
    dialect = content.dialect.dialect
    Object.assign(confidence, content.dialect.confidence)
    evidence.push(...content.dialect.evidence)
  }
  return {
    ...(format === undefined ? {} : { format }),
    codecs: [],
    ...(encoding === undefined ? {} : { encoding }),
    ...(dialect === undefined ? {} : { dialect }),
    confidence,
    evidence,
    candidates: content.candidates,
    ...(obstacle === undefined ? {} : { obstacle }),
  }
}

interface Look {
  readonly candidates: readonly FormatCandidate[]
  readonly dialect?: Content['dialect']
  readonly text?: ReturnType<typeof sniffText>
  readonly recognised?: Recognised
  readonly obstacle?: string
  /** Evidence that is not about a format that is decided. */
  readonly sentences: readonly string[]
}

function look(
  sample: Uint8Array,
  recognised: Recognised | undefined,
  complete: boolean,
  delimitedText: boolean,
  given: GivenDialect,
): Look {
  if (sample.length === 0) return { candidates: [], sentences: [] }
  if (recognised?.kind === 'format') {
    const why = told(recognised)
    const obstacle = missing('format', recognised)
    return {
      candidates: [{ format: recognised.id, confidence: AGREED, why }],
      recognised,
      ...obstacle,
      sentences: [why],
    }
  }
  if (recognised?.kind === 'other') {
    return {
      candidates: [],
      obstacle: `the content is ${recognised.title}, not a table`,
      sentences: [told(recognised)],
    }
  }
  const text = sniffText(sample, complete)
  if (text === undefined) {
    const sentences = ['the content is binary, and its first bytes are nobody’s signature']
    return { candidates: [], obstacle: 'the content is binary, and of no kind that is known here', sentences }
  }
  const { candidates, dialect, other } = sniffContent(text.text, complete, given, delimitedText)
  if (other !== undefined) {
    return { candidates, text, obstacle: `the content is ${other.title}, not a table`, sentences: [other.why] }
  }
  return { candidates, text, ...(dialect === undefined ? {} : { dialect }), sentences: [] }
}

/** What an extension implies, as far as it is about the dialect. */
function impliedDialect(options: Readonly<Record<string, unknown>> | undefined, by: string): GivenDialect {
  const delimiter = options?.delimiter
  return typeof delimiter === 'string' ? { delimiter, impliedBy: by } : {}
}

function defined(dialect: GivenDialect | undefined): GivenDialect {
  const entries = Object.entries(dialect ?? {}).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(entries), ...(dialect?.delimiter === undefined ? {} : { impliedBy: undefined }) }
}

/** LZMA2, the content of an xz block: chunks that are copied or compressed by LZMA, over one dictionary. */
import type { EncodedInput } from '../core/encoded-input.ts'
import { LzmaDecoder } from './xz-lzma.ts'

/** As of `xz -9`, twice over: the dictionary is memory that the input asks for. */
export const MAX_DICTIONARY_BYTES = 128 * 1024 * 1024

/** A chunk has at most 2 MiB. */
const MAX_CHUNK_BYTES = 2 * 1024 * 1024
/** Chunks behind the dictionary before it is moved to the front of the window. */
const SLACK_BYTES = 2 * MAX_CHUNK_BYTES
const FIRST_WINDOW_BYTES = 256 * 1024
/** Some ten milliseconds of work. */
const PIECE_BYTES = 256 * 1024

/** Bytes of the dictionary by its code in the block's header; undefined for a code that does not exist. */
export function dictionaryBytes(code: number): number | undefined {
  if (code > 40) return undefined
  return code === 40 ? 2 ** 32 - 1 : (2 | (code & 1)) * 2 ** ((code >> 1) + 11)
}

/** What decoding needs of the block around it. */
export interface BlockErrors {
  damaged(found: string): Error
  truncated(): Error
}

/** Decodes up to the end mark. Chunks are lent from the window. */
export async function* decodeLzma2(
  input: EncodedInput,
  dictionary: number,
  errors: BlockErrors,
): AsyncGenerator<Uint8Array, void, undefined> {
  const lzma = new LzmaDecoder()
  const window = new Window(dictionary)
  /** What the next chunk has to bring: everything, a state, or nothing. */
  let needs: 'dictionary' | 'properties' | 'state' | 'nothing' = 'dictionary'
  const take = async (count: number): Promise<Buffer> => {
    const bytes = await input.take(count)
    if (bytes === undefined) throw errors.truncated()
    return bytes
  }
  for (;;) {
    const control = (await take(1))[0]!
    if (control === 0) return
    if (control === 1 || control >= 0xe0) {
      window.reset()
      if (needs === 'dictionary') needs = 'properties'
    } else if (needs === 'dictionary') throw errors.damaged('a chunk before a dictionary')

    if (control >= 0x80) {
      const sizes = await take(4)
      const length = ((control & 0x1f) << 16) + sizes.readUInt16BE(0) + 1
      const reset = (control >> 5) & 3
      if (reset >= 2) {
        if (!lzma.setProperties((await take(1))[0]!)) throw errors.damaged('properties that do not exist')
      } else if (needs === 'properties' || (needs === 'state' && reset === 0)) {
        throw errors.damaged('a chunk without the state that it needs')
      }
      if (reset >= 1) lzma.resetState()
      needs = 'nothing'
      const encoded = await take(sizes.readUInt16BE(2) + 1)
      let at = window.reserve(length)
      const end = at + length
      if (!lzma.begin(encoded)) throw errors.damaged('a chunk that begins wrong')
      while (at < end) {
        await input.turns.pause()
        const start = at
        at = lzma.run(window.bytes, start, Math.min(start + PIECE_BYTES, end), end, window.first, window.counted)
        if (at < 0) throw errors.damaged('a chunk that cannot be decoded')
        window.filled(at)
        yield window.bytes.subarray(start, at)
      }
      if (!lzma.finish()) throw errors.damaged('a chunk that ends wrong')
    } else if (control <= 2) {
      const length = (await take(2)).readUInt16BE(0) + 1
      // What is copied leaves no state to go on from, once the dictionary was reset.
      if (control === 1 && needs === 'nothing') needs = 'state'
      const copied = await take(length)
      const start = window.reserve(length)
      window.bytes.set(copied, start)
      window.filled(start + length)
      yield window.bytes.subarray(start, start + length)
    } else throw errors.damaged(`a chunk of type ${control}`)
  }
}

/** The dictionary and what is being decoded, one after the other. */
class Window {
  bytes: Buffer
  /** Where the dictionary begins. */
  first = 0
  /** Bytes since it was reset. */
  counted = 0
  readonly #dictionary: number
  #end = 0

  constructor(dictionary: number) {
    this.#dictionary = dictionary
    this.bytes = Buffer.allocUnsafeSlow(Math.min(dictionary + SLACK_BYTES, FIRST_WINDOW_BYTES))
  }

  reset(): void {
    this.first = this.#end
    this.counted = 0
  }

  /** Makes room for a chunk; gives where it goes. */
  reserve(length: number): number {
    // A copy may reach back as far as the dictionary goes, and no further.
    if (this.#end - this.first > this.#dictionary) this.first = this.#end - this.#dictionary
    if (this.#end + length <= this.bytes.length) return this.#end
    const kept = this.#end - this.first
    const largest = this.#dictionary + SLACK_BYTES
    if (kept + length <= this.bytes.length / 2 || this.bytes.length === largest) {
      this.bytes.copyWithin(0, this.first, this.#end)
    } else {
      const wanted = Math.max(this.bytes.length * 2, (kept + length) * 2)
      const larger = Buffer.allocUnsafeSlow(Math.min(wanted, largest))
      this.bytes.copy(larger, 0, this.first, this.#end)
      this.bytes = larger
    }
    this.first = 0
    this.#end = kept
    return kept
  }

  filled(end: number): void {
    this.counted += end - this.#end
    this.#end = end
  }
}

/**
 * ZIP (PKWARE APPNOTE 6.3.10) with members that are stored or deflated, by node:zlib. The frame is read here: what is
 * usually left to a library (checksums, sizes, both headers, ZIP64, the directory) is where archives lie.
 */
import { crc32, createDeflateRaw } from 'node:zlib'
import { DecodedSource } from '../core/decoded-source.ts'
import { EncodedInput } from '../core/encoded-input.ts'
import { EncodedSink, type EncodeStage } from '../core/encoded-sink.ts'
import { invalidOption } from '../core/options.ts'
import type { Codec } from '../core/types.ts'
import { ENCODED_CHUNK_BYTES, stageOptions, ZlibStage } from '../core/zlib-stage.ts'
import { chooseMember, isFile, memberFilter } from './zip-choice.ts'
import { readDirectory } from './zip-directory.ts'
import { firstName, readByDirectory, readInOrder } from './zip-reading.ts'
import { archiveEnd, localHeader } from './zip-records.ts'

/**
 * `decode` gives one member: the one that `member` names, or that alone matches it as a pattern (`*` and `?` within a
 * folder, `**` across folders), or the only file there is. MEMBER_NOT_FOUND and MEMBER_AMBIGUOUS list what there is.
 * A source with ranged reads is read by its directory. Another one is read in its order: whether there are more members
 * is then seen, and told, only after the data of the first.
 *
 * `encode` writes one member: `member`, or the name of the target without its last extension. `level` is 0 to 9, or -1
 * (the default: zlib's own, which is 6).
 */
export const codec: Codec = {
  decode: (source, options) =>
    new DecodedSource(source, options, input =>
      source.random === undefined
        ? readInOrder(input, options.member)
        : readByDirectory(input, source.random, options.member),
    ),
  encode: (sink, { level = -1, member = memberName(sink.label) }) => {
    if (!Number.isInteger(level) || level < -1 || level > 9) {
      throw invalidOption('level', 'a whole number from 0 to 9, or -1 for the default', level)
    }
    const name = Buffer.from(member)
    if (name.length === 0 || name.length > 0xffff) throw invalidOption('member', 'a name of 1 to 65535 bytes', member)
    return new EncodedSink(sink, new ZipStage(name, level))
  },
  async members(source, options = {}) {
    if (source.random === undefined) return undefined
    const entries = await readDirectory(source.random, source.label, options)
    const { member } = options
    const named = entries.filter(entry => entry.name === member)
    const meant = memberFilter(member)
    return (named.length > 0 ? named : entries.filter(entry => isFile(entry.name) && meant(entry.name))).map(
      ({ name, bytes, encodedBytes }) => ({ name, bytes, encodedBytes }),
    )
  },
  async innerName(source, { member, signal }) {
    if (source.random !== undefined) {
      return chooseMember(await readDirectory(source.random, source.label, { signal }), member, source.label).name
    }
    if (!source.replayable) return undefined
    const input = new EncodedInput(source)
    try {
      return await firstName(input, member)
    } finally {
      input.stop()
      await input.release()
    }
  },
}

/** `/data/people.csv.zip` → `people.csv`. */
function memberName(label: string): string {
  const name = label.replace(/[?#].*$/, '').replace(/^.*[/\\]/, '')
  const stem = name.replace(/\.[^.]*$/, '')
  return stem === '' || stem.startsWith('<') ? 'data' : stem
}

/** One member and what stands around it. */
class ZipStage implements EncodeStage {
  readonly #name: Buffer
  readonly #deflate: ZlibStage
  #part: 'header' | 'data' | 'end' | 'nothing' = 'header'
  #crc = 0
  #bytes = 0
  #encodedBytes = 0
  #destroyed = false

  constructor(name: Buffer, level: number) {
    this.#name = name
    this.#deflate = new ZlibStage(createDeflateRaw({ ...stageOptions(ENCODED_CHUNK_BYTES), level }))
  }

  write(chunk: Uint8Array): Promise<void> {
    this.#crc = crc32(chunk, this.#crc)
    this.#bytes += chunk.length
    return this.#deflate.write(chunk)
  }

  end(): void {
    this.#deflate.end()
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#part === 'header') {
      this.#part = 'data'
      return localHeader(this.#name)
    }
    if (this.#part === 'data') {
      const chunk = await this.#deflate.read()
      if (chunk !== null) {
        this.#encodedBytes += chunk.length
        return chunk
      }
      if (this.#destroyed) return null
      this.#part = 'end'
    }
    if (this.#part !== 'end') return null
    this.#part = 'nothing'
    return archiveEnd({ name: this.#name, crc: this.#crc, bytes: this.#bytes, encodedBytes: this.#encodedBytes })
  }

  destroy(): Promise<void> {
    this.#destroyed = true
    return this.#deflate.destroy()
  }
}

/**
 * zstd for a Node without it: fzstd reads, and the original, compiled to WebAssembly, writes. Both work on the main
 * thread, so a block at a time, with turns for others between them.
 */
import { type SyncEncoder, SyncEncodeStage } from '../core/encode-stage.ts'
import { hex } from '../core/encoded-input.ts'
import type { ZstdEngine } from './zstd.ts'
import { ContentChecksum } from './zstd-checksum.ts'

/** Input that the encoder takes in one go: about a millisecond of work by the default level. */
const STEP_BYTES = 64 * 1024

export const portableEngine: ZstdEngine = {
  async *decode(input, frame) {
    const { Decompress } = await import('fzstd')
    const wrong = (found: string, cause?: unknown): Error =>
      input.error('CODEC_CORRUPT', `frame ${frame.number} is damaged after compressed byte ${input.offset}`, {
        expected: 'zstd data',
        found,
        hint: 'fetch or copy the file again',
        ...(cause === undefined ? {} : { cause }),
      })
    let decoded: Uint8Array[] = []
    const decoder = new Decompress(chunk => {
      if (chunk.length > 0) decoded.push(chunk)
    })
    const push = (bytes: Uint8Array, last: boolean): void => {
      try {
        decoder.push(bytes, last)
      } catch (cause) {
        throw wrong(cause instanceof Error ? cause.message : String(cause), cause)
      }
    }
    // fzstd passes over the checksum that it is told of; it is checked here.
    const checksum = new ContentChecksum()
    push(frame.head, false)
    while (!frame.done && (await input.more())) {
      const length = frame.walk(input.rest, 'block', wrong)
      // A copy, as fzstd keeps what does not make a whole block.
      push(Uint8Array.prototype.slice.call(input.rest, 0, length), frame.done)
      input.advance(length)
      const chunks = decoded
      decoded = []
      for (const chunk of chunks) {
        if (frame.header.checksum) checksum.update(chunk)
        yield chunk
        await input.turns.pause()
      }
    }
    if (!frame.done || !frame.header.checksum || checksum.digest() === frame.checksum) return
    throw input.error('CODEC_CORRUPT', `the checksum of frame ${frame.number} is wrong`, {
      expected: `${hex(frame.checksum)}, which the frame says`,
      found: `${hex(checksum.digest())}, of the data decoded`,
      hint: 'the rows already read may be wrong too: fetch or copy the file again',
    })
  },
  encode: level => new SyncEncodeStage(openEncoder(level)),
}

async function openEncoder(level: number): Promise<SyncEncoder> {
  const { Zstd } = await import('@hpcc-js/wasm-zstd')
  const shared = await Zstd.load()
  // The package has one compressor for the process; a writer needs its own. The version is pinned for this.
  // biome-ignore lint/complexity/useLiteralKeys: the field is not public
  const native = new shared['_zstdClass']()
  const zstd: typeof shared = Object.assign(Object.create(Zstd.prototype), shared, { _zstd: native })
  zstd.reset()
  zstd.setCompressionLevel(level)
  const checksum = new ContentChecksum()
  let begun = false
  /** Sets the flag in the header that says that a checksum follows the last block. */
  const withFlag = (bytes: Uint8Array): Uint8Array => {
    if (!begun && bytes.length > 0) {
      begun = true
      bytes[4]! |= 4
    }
    return bytes
  }
  return {
    *encode(chunk) {
      checksum.update(chunk)
      for (let at = 0; at < chunk.length; at += STEP_BYTES) {
        yield withFlag(zstd.compressChunk(chunk.subarray(at, at + STEP_BYTES)))
      }
    },
    *flush() {
      yield withFlag(zstd.compressEnd())
      const end = Buffer.alloc(4)
      end.writeUInt32LE(checksum.digest())
      yield end
    },
    free: () => native.delete(),
  }
}

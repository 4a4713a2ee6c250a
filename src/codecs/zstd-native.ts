/** zstd by node:zlib: in a thread of the pool, and not there before Node 22.15. */
import * as zlib from 'node:zlib'
import {
  decodeByZlib,
  ENCODED_CHUNK_BYTES,
  MAX_DECODED_CHUNK_BYTES,
  stageOptions,
  ZlibStage,
  type ZlibStream,
} from '../core/zlib-stage.ts'
import type { ZstdEngine } from './zstd.ts'

/** The part of node:zlib that the types of Node 20 do not know. */
interface NativeZstd {
  createZstdCompress(options: ZstdOptions): ZlibStream
  createZstdDecompress(options: ZstdOptions): ZlibStream
  readonly constants: { readonly ZSTD_c_compressionLevel: number; readonly ZSTD_c_checksumFlag: number }
}

type ZstdOptions = zlib.ZlibOptions & { readonly params?: Readonly<Record<number, number>> }

const isNative = (module: object): module is NativeZstd =>
  'createZstdCompress' in module && 'createZstdDecompress' in module

/** Undefined where this Node does not have it. */
export const nativeEngine: ZstdEngine | undefined = isNative(zlib) ? createEngine(zlib) : undefined

function createEngine({ createZstdCompress, createZstdDecompress, constants }: NativeZstd): ZstdEngine {
  return {
    async *decode(input, frame) {
      const wrong = (found: string, cause?: unknown): Error =>
        input.error('CODEC_CORRUPT', `frame ${frame.number} is damaged after compressed byte ${input.offset}`, {
          expected: 'zstd data',
          found,
          hint: 'fetch or copy the file again',
          ...(cause === undefined ? {} : { cause }),
        })
      try {
        yield* decodeByZlib(input, createZstdDecompress(stageOptions(MAX_DECODED_CHUNK_BYTES)), {
          head: frame.head,
          meant: rest => frame.walk(rest, 'frame', wrong),
          damaged: cause => wrong(cause instanceof Error ? cause.message : String(cause), cause),
        })
      } catch (error) {
        // Of a frame that is cut off, the stream says only that something is missing.
        if ((error as { code?: unknown }).code === 'CODEC_CORRUPT' && input.ended && !frame.done && isCut(error)) return
        throw error
      }
    },
    encode: level =>
      new ZlibStage(
        createZstdCompress({
          ...stageOptions(ENCODED_CHUNK_BYTES),
          params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
        }),
      ),
  }
}

const isCut = (error: unknown): boolean =>
  ((error as { cause?: { code?: unknown } }).cause?.code ?? '') === 'Z_BUF_ERROR'

import type { ByteSource } from '../../src/core/types.ts'

/** Bytes in chunks of a size, with ranged reads where that is asked for. */
export function bytesSource(bytes: Uint8Array, chunkBytes = 65536, random = false): ByteSource {
  return {
    label: 'bytes',
    replayable: true,
    async *stream() {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
    },
    ...(random
      ? {
          random: {
            size: async () => bytes.length,
            readRanges: async ranges => ranges.map(({ start, end }) => bytes.subarray(start, end)),
          },
        }
      : {}),
    async [Symbol.asyncDispose]() {},
  }
}

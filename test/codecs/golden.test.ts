/** What the original commands write by their many options, against what they were given. */
import { describe, expect, it } from 'vitest'
import { codec as bzip2 } from '../../src/codecs/bzip2.ts'
import { codec as lz4 } from '../../src/codecs/lz4.ts'
import { codec as snappy } from '../../src/codecs/snappy.ts'
import { codec as xz } from '../../src/codecs/xz.ts'
import { zstdCodec } from '../../src/codecs/zstd.ts'
import { nativeEngine } from '../../src/codecs/zstd-native.ts'
import { portableEngine } from '../../src/codecs/zstd-portable.ts'
import type { Codec } from '../../src/core/types.ts'
import { CODEC_SAMPLES } from '../../src/testing/codec-samples.ts'
import { codeOf, drain, table } from '../../src/testing/sample.ts'
import { bytesSource } from './bytes-source.ts'
import { golden, goldenNames } from './golden.ts'

const { small, medium } = CODEC_SAMPLES as Record<'small' | 'medium', Buffer>
const RUNS = [1, 2, 3, 4, 5, 6, 254, 255, 256, 258, 259, 260, 261, 518, 519, 1000]

/** What a file of this name holds. */
function contentOf(name: string): Buffer {
  if (name.startsWith('small-padding-medium')) return Buffer.concat([small, medium])
  if (name.startsWith('runs')) return Buffer.concat(RUNS.map((count, i) => Buffer.alloc(count, 65 + i)))
  if (name.startsWith('table')) return table(400_000)
  return CODEC_SAMPLES[/^(?:one-byte|[a-z]+)/.exec(name)![0]]!
}

const LIMITS = { maxRatio: Number.POSITIVE_INFINITY }

/** Files that are refused, and by what. */
const REFUSED: Readonly<Record<string, string>> = {
  'medium-filter-x86.xz': 'CODEC_UNSUPPORTED',
  'medium-dictionary-192mib.xz': 'CODEC_LIMIT_EXCEEDED',
  'medium-old-format.lz4': 'CODEC_UNSUPPORTED',
  'medium-dictionary.zst': 'CODEC_UNSUPPORTED',
  'medium-window-256mib.zst': 'CODEC_LIMIT_EXCEEDED',
}

const codecs: Record<string, [folder: string, codec: Codec]> = {
  bzip2: ['bzip2', bzip2],
  xz: ['xz', xz],
  lz4: ['lz4', lz4],
  snappy: ['snappy', snappy],
  'zstd, portable': ['zstd', zstdCodec(portableEngine)],
  ...(nativeEngine === undefined ? {} : { 'zstd, native': ['zstd', zstdCodec(nativeEngine)] }),
}

describe.each(Object.entries(codecs))('%s', (_, [folder, codec]) => {
  for (const name of goldenNames(folder)) {
    it(`${REFUSED[name] === undefined ? 'reads' : 'refuses'} ${name}`, async () => {
      for (const chunkBytes of [7, 65536]) {
        const result = await drain(() =>
          codec.decode(bytesSource(golden(`${folder}/${name}`), chunkBytes), LIMITS).stream(),
        )
        expect(codeOf(result.error)).toBe(REFUSED[name])
        if (REFUSED[name] === undefined) expect(result.bytes.equals(contentOf(name))).toBe(true)
        else expect(result.bytes.length).toBe(0)
      }
    })
  }
})

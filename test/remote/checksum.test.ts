import { describe, expect, it } from 'vitest'
import { startChecksum } from '../../src/remote/checksum.ts'
import type { ChecksumAlgorithm } from '../../src/remote/object.ts'
import { noise } from '../../src/testing/sample.ts'

describe('checksums', () => {
  // The check values of the catalogue of CRC algorithms, and of the standards of the digests.
  it.each<[ChecksumAlgorithm, string]>([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
    ['sha1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ])('%s of 123456789 is %s, however it is cut', (algorithm, hex) => {
    const text = Buffer.from('123456789')
    for (let at = 0; at <= text.length; at++) {
      const running = startChecksum(algorithm)
      running.update(text.subarray(0, at))
      running.update(text.subarray(at))
      expect(Buffer.from(running.digest(), 'base64').toString('hex')).toBe(hex)
    }
  })

  it.each<ChecksumAlgorithm>(['crc32', 'crc32c', 'crc64nvme'])('%s is the same in pieces as in one', algorithm => {
    const bytes = noise(10_007)
    const whole = startChecksum(algorithm)
    whole.update(bytes)
    const pieces = startChecksum(algorithm)
    for (let at = 0, step = 1; at < bytes.length; at += step++) pieces.update(bytes.subarray(at, at + step))
    expect(pieces.digest()).toBe(whole.digest())
  })
})

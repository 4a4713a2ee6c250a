import { describe, expect, it } from 'vitest'
import type { ByteSink, ByteSource } from '../../src/core/types.ts'
import { MemoryTarget, openIterable } from '../../src/index.ts'
import { place } from '../../src/sources/memory.ts'
import { sinkContract } from '../../src/testing/sink.ts'
import { sourceContract } from '../../src/testing/source.ts'

const { signal } = new AbortController()
const source = async (target: unknown) => (await place.openSource!(target, { signal, options: {} })) as ByteSource
const sink = async (target: unknown, append = false) =>
  (await place.openSink!(target, { signal, options: {}, append })) as ByteSink

sourceContract('bytes', async bytes => ({ source: await source(bytes) }), {
  replayable: true,
  random: true,
  size: true,
})
sourceContract('MemoryTarget', async bytes => ({ source: await source(new MemoryTarget('x', bytes)) }), {
  replayable: true,
  random: true,
  size: true,
})
sourceContract('Blob', async bytes => ({ source: await source(new Blob([bytes])) }), { replayable: true, size: true })

sinkContract(
  'MemoryTarget',
  async old => {
    const target = new MemoryTarget('x', old)
    return {
      sink: await sink(target),
      content: () => (target.bytes().length === 0 && old === undefined ? undefined : target.bytes()),
    }
  },
  {
    atomic: true,
    makeAppending: async old => {
      const target = new MemoryTarget('x', old)
      return { sink: await sink(target, true), content: () => target.bytes() }
    },
  },
)

describe('memory', () => {
  const text = 'a\n1\n'
  const bytes = Buffer.from(text)

  it('reads text and bytes of every kind', async () => {
    const array = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    const targets = [
      bytes,
      array,
      { text },
      { bytes },
      { bytes: array },
      new Blob([text]),
      new MemoryTarget(undefined, text),
    ]
    for (const target of targets) {
      expect(await openIterable(target, { format: 'csv' }).readBulk()).toEqual([{ a: '1' }])
    }
    expect(openIterable({ text, name: 'x.csv' }).label).toBe('x.csv')
    expect(await openIterable(new File([text], 'x.csv')).readBulk()).toEqual([{ a: '1' }])
  })

  it('is not what a blob is written to', async () => {
    // @ts-expect-error it does not compile either
    await expect(openIterable(new Blob([]), { mode: 'w', format: 'csv' }).close()).rejects.toMatchObject({
      code: 'TARGET_UNSUPPORTED',
      message: expect.stringContaining('MemoryTarget'),
    })
  })
})

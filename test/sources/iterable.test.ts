import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../../src/core/types.ts'
import { openIterable } from '../../src/index.ts'
import { place } from '../../src/sources/iterable.ts'
import { sourceContract } from '../../src/testing/source.ts'

const { signal } = new AbortController()
const source = async (target: unknown) => (await place.openSource!(target, { signal, options: {} })) as ByteSource
const pieces = (bytes: Uint8Array) =>
  Array.from({ length: Math.max(1, Math.ceil(bytes.length / 65_536)) }, (_, i) =>
    bytes.slice(i * 65_536, (i + 1) * 65_536),
  )

sourceContract('array of chunks', async bytes => ({ source: await source(pieces(bytes)) }), { replayable: true })
sourceContract('generator of chunks', async bytes => ({
  source: await source(
    (function* () {
      yield* pieces(bytes)
    })(),
  ),
}))

describe('iterables', () => {
  const rows = Array.from({ length: 1000 }, (_, i) => ({ i }))

  it('of rows give the very rows, without a format', async () => {
    const handle = openIterable(rows)
    const all = await handle.readBulk(2000)
    expect(all).toEqual(rows)
    expect(all[0]).toBe(rows[0])
    expect(handle.format).toBeUndefined()
    expect(await openIterable(new Set(rows)).readBulk(2000)).toEqual(rows)
    expect(await openIterable([]).readBulk()).toEqual([])
    await handle.reset()
    expect(await handle.readBulk(2000)).toEqual(rows)
  })

  it('deal a row that has come before the next one has', async () => {
    let release = () => {}
    const slow = (async function* () {
      yield { i: 0 }
      await new Promise<void>(resolve => {
        release = resolve
      })
      yield { i: 1 }
    })()
    const handle = openIterable(slow)
    expect(await handle.read()).toEqual({ i: 0 })
    const second = handle.read()
    setImmediate(() => release())
    expect(await second).toEqual({ i: 1 })
  })

  it('are given up when the loop is left, once', async () => {
    let ended = 0
    const endless = (function* () {
      try {
        for (let i = 0; ; i++) yield { i }
      } finally {
        ended++
      }
    })()
    for await (const { i } of openIterable(endless)) if (i === 300) break
    expect(ended).toBe(1)
    const unused = (function* () {
      try {
        yield { i: 0 }
      } finally {
        ended++
      }
    })()
    await (await openIterable(unused)).close()
    expect(ended).toBe(2)
  })

  it('that fail deliver the rows before, then the very error', async () => {
    const broken = new Error('broken')
    const failing = (function* () {
      yield { i: 0 }
      throw broken
    })()
    const handle = openIterable(failing)
    expect(await handle.readBulk(10)).toEqual([{ i: 0 }])
    await expect(handle.readBulk(10)).rejects.toBe(broken)
  })

  it('of rows and chunks mixed are errors', async () => {
    const mixed = openIterable([{ i: 0 }, 'text'] as object[])
    expect(await mixed.readBulk()).toEqual([{ i: 0 }])
    await expect(mixed.readBulk()).rejects.toMatchObject({ code: 'ROW_INVALID', record: 2 })
    await expect(openIterable(['a\n', { i: 0 }] as never, { format: 'csv' }).readBulk()).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
    })
  })

  it('that can be read only once say so', async () => {
    const handle = openIterable(rows.values())
    await handle.read()
    await expect(handle.reset()).rejects.toMatchObject({ code: 'NOT_REPLAYABLE' })
  })
})

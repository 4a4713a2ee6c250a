/** Many readers at once: each gives its rows, what they share stays within bounds, and one signal ends them all. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openInstances } from '../src/duckdb/instance.ts'
import { openIterable, type Row } from '../src/index.ts'

const READERS = 100
const ROWS = 3000
const FORMATS = ['csv', 'csv.gz', 'jsonl', 'json', 'parquet'] as const

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-many-'))
  const rows = Array.from({ length: ROWS }, (_, n) => ({ n, text: `text ${n % 97}` }))
  for (const format of FORMATS) {
    await using out = openIterable(join(folder, `x.${format}`), { mode: 'w' })
    await out.writeBulk(rows)
    await out.close()
  }
})
afterAll(() => rm(folder, { recursive: true }))

const pathOf = (i: number) => join(folder, `x.${FORMATS[i % FORMATS.length]}`)
const descriptors = async () => (process.platform === 'linux' ? (await readdir('/proc/self/fd')).length : 0)

describe(`${READERS} readers at once`, () => {
  it('give their rows, and leave nothing open', async () => {
    const before = await descriptors()
    let mostInstances = 0
    const sums = await Promise.all(
      Array.from({ length: READERS }, async (_, i) => {
        let sum = 0
        for await (const row of openIterable(pathOf(i))) {
          sum += Number((row as Row).n)
          mostInstances = Math.max(mostInstances, openInstances().instances)
        }
        return sum
      }),
    )
    expect(new Set(sums)).toEqual(new Set([(ROWS * (ROWS - 1)) / 2]))
    expect(mostInstances).toBe(1)
    expect(openInstances().leases).toBe(0)
    expect((await descriptors()) - before).toBeLessThanOrEqual(2)
  })

  it('are ended by one signal', async () => {
    const before = await descriptors()
    const controller = new AbortController()
    const reason = new Error('enough')
    let seen = 0
    const all = await Promise.allSettled(
      Array.from({ length: READERS }, async (_, i) => {
        for await (const _row of openIterable(pathOf(i), { signal: controller.signal })) {
          if (++seen === 500) controller.abort(reason)
        }
      }),
    )
    const rejected = all.filter(result => result.status === 'rejected')
    expect(rejected.length).toBeGreaterThan(READERS / 2)
    expect(rejected.every(result => result.reason === reason)).toBe(true)
    // A call that was aborted does not wait until all is let go of; that follows.
    await vi.waitFor(async () => {
      expect(openInstances().leases).toBe(0)
      expect((await descriptors()) - before).toBeLessThanOrEqual(2)
    })
  })
})

import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { openIterable } from '../src/index.ts'
import { readerContract } from '../src/testing/reader-handle.ts'
import { writerContract } from '../src/testing/writer-handle.ts'

const csv = {
  name: 'people.csv',
  row: (i: number) => ({ id: `${i}`, name: `person ${i}`, note: i % 5 === 0 ? 'a, "b"\nc' : '' }),
  text: (count: number) =>
    count === 0
      ? ''
      : `id,name,note\n${Array.from({ length: count }, (_, i) => `${i},person ${i},${i % 5 === 0 ? '"a, ""b""\nc"' : ''}\n`).join('')}`,
}
const jsonl = {
  name: 'people.jsonl',
  row: (i: number) => ({ id: i, name: `person ${i}`, tags: ['a', { b: null }], ok: i % 2 === 0 }),
  text: (count: number) => Array.from({ length: count }, (_, i) => `${JSON.stringify(jsonl.row(i))}\n`).join(''),
}

for (const subject of [csv, jsonl]) {
  readerContract(subject)
  writerContract(subject)
}

describe('a reader that is dropped half read', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void

  it.runIf(existsSync('/proc/self/fd'))('is closed when it is collected, and Node has nothing to warn of', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'open-iterable-dropped-'))
    const warnings: string[] = []
    const note = (warning: Error) => warnings.push(String(warning))
    process.on('warning', note)
    try {
      const path = join(folder, 'people.jsonl')
      writeFileSync(path, jsonl.text(3))
      const open = () => readdirSync('/proc/self/fd').filter(fd => targetOf(fd) === path).length
      // Apart, so that nothing of it is left on the stack.
      await (async () => {
        for (let i = 0; i < 30; i++) expect(await openIterable(path).read()).toEqual(jsonl.row(0))
      })()
      for (let turn = 0; open() > 0 && turn < 2000; turn++) {
        collectGarbage()
        await nextTurn()
      }
      expect(open()).toBe(0)
      expect(warnings.filter(warning => warning.includes('garbage'))).toEqual([])

      // At the end nothing is left to be collected.
      const reader = openIterable(path)
      expect((await reader.readBulk(3)).length).toBe(3)
      expect(open()).toBe(1)
      expect(await reader.read()).toBe(null)
      expect(open()).toBe(0)
    } finally {
      process.off('warning', note)
      rmSync(folder, { recursive: true })
    }
  })
})

function targetOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined // closed meanwhile
  }
}

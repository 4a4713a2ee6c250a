/** The plug-ins that docs/plug-ins.md builds, with nothing but what the package exports, pass the suites that it exports. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import type { ByteSink, ByteSource } from '../src/core/types.ts'
import { findCodec, findSource } from '../src/registry.ts'
import { codecContract, formatContract, sinkContract, sourceContract } from '../src/testing/index.ts'
import { withSources } from './support/compile-snippets.ts'
import { snippetsOf } from './support/snippets.ts'

const ROOT = resolve(import.meta.dirname, '..')
const snippets = snippetsOf(readFileSync(join(ROOT, 'docs/plug-ins.md'), 'utf8')).filter(({ runs }) => runs)
// Under the project, so that vitest compiles what is in it.
const folder = mkdtempSync(join(ROOT, 'test', '.snippets-'))
const before = process.cwd()
afterAll(() => rmSync(folder, { recursive: true }))

mkdirSync(join(folder, 'work'))
writeFileSync(join(folder, 'work/people.csv'), 'id,name\n1,Ada\n')
process.chdir(join(folder, 'work'))
const log = vi.spyOn(console, 'log').mockImplementation(() => {})
for (const [i, { code }] of snippets.entries()) {
  const file = join(folder, `${i}.ts`)
  writeFileSync(file, withSources(code, 2))
  await import(file)
}
log.mockRestore()
process.chdir(before)

it('are a format, a codec and a place', () => {
  expect(snippets).toHaveLength(3)
})

formatContract({
  id: 'pairs',
  name: 'people.pairs',
  samples: [
    { title: 'two rows', rows: [{ id: '1', name: 'Ada' }, { id: '2' }] },
    { title: 'many rows', rows: Array.from({ length: 500 }, (_, i) => ({ id: String(i) })) },
  ],
  bad: { text: 'id=1\nid\nid=3\n', code: 'RECORD_INVALID', before: [{ id: '1' }], after: [{ id: '3' }] },
})

const length = (bytes: Uint8Array) => {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(bytes.length)
  return head
}
const END = Buffer.alloc(4)
codecContract(
  'framed',
  await findCodec('framed')!.load(),
  {
    encode: bytes => Buffer.concat([Buffer.from('FR'), ...(bytes.length > 0 ? [length(bytes), bytes] : []), END]),
    decode(encoded) {
      const bytes = Buffer.from(encoded)
      const frames: Buffer[] = []
      for (let at = 2; bytes.readUInt32LE(at) > 0; ) {
        const end = at + 4 + bytes.readUInt32LE(at)
        frames.push(bytes.subarray(at + 4, end))
        at = end
      }
      return Buffer.concat(frames)
    },
  },
  { members: false, checksummed: false, highestRatio: 1 },
)

const { signal } = new AbortController()
const { openSource, openSink } = await findSource('cache:x')!.load()
let last = 0
const sinkOf = async (name: string) => (await openSink!(name, { signal, options: {}, append: false })) as ByteSink
const sourceOf = async (name: string) => (await openSource!(name, { signal, options: {} })) as ByteSource
const store = async (name: string, bytes: Uint8Array) => {
  const sink = await sinkOf(name)
  await sink.write(bytes)
  await sink.close()
}
async function contentOf(name: string): Promise<Uint8Array | undefined> {
  try {
    const chunks: Uint8Array[] = []
    for await (const chunk of (await sourceOf(name)).stream()) chunks.push(chunk)
    return Buffer.concat(chunks)
  } catch {
    return undefined
  }
}

sourceContract(
  'cache',
  async bytes => {
    const name = `cache:${++last}`
    await store(name, bytes)
    return { source: await sourceOf(name) }
  },
  { replayable: true, size: true },
)
sinkContract(
  'cache',
  async old => {
    const name = `cache:${++last}`
    if (old !== undefined) await store(name, old)
    return { sink: await sinkOf(name), content: () => contentOf(name) }
  },
  { atomic: true },
)

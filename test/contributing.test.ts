/** The format that CONTRIBUTING.md adds in steps, built from its snippets: it compiles, and passes the contract suite. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { convert, MemoryTarget, openIterable } from '../src/index.ts'
import { type FormatEntry, registerFormat } from '../src/registry.ts'
import { compileFolder } from './support/compile-snippets.ts'

const ROOT = resolve(import.meta.dirname, '..')
const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8')
const files = [...text.matchAll(/^```ts file=(\S+)\n([\s\S]*?)^```/gm)].map(match => ({
  path: match[1]!,
  code: match[2]!,
}))
const folder = mkdtempSync(join(ROOT, 'test', '.snippets-'))
afterAll(() => rmSync(folder, { recursive: true }))

// The sources beside the new files; what is linked is one module, wherever it is imported from.
mkdirSync(join(folder, 'src/formats'), { recursive: true })
for (const name of readdirSync(join(ROOT, 'src'))) {
  if (name !== 'formats') symlinkSync(join(ROOT, 'src', name), join(folder, 'src', name))
}
for (const { path, code } of files) {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), code)
}

const { entry } = (await import(join(folder, 'entry.ts'))) as { entry: FormatEntry }
registerFormat(entry)
await import(join(folder, 'pairs.contract.ts'))

it('compiles', () => {
  expect(files).toHaveLength(5)
  // What is linked is not looked at here.
  const wrong = compileFolder(folder).filter(line => files.some(({ path }) => line.startsWith(path)))
  expect(wrong).toEqual([])
})

it('works with everything else at once: codecs, conversions, encodings', async () => {
  const target = new MemoryTarget('people.pairs.gz')
  await convert({ text: 'id,name\n007,Zoë\n', name: 'x.csv' }, target)
  expect(await openIterable(target).readBulk()).toEqual([{ id: '007', name: 'Zoë' }])
  const latin1 = openIterable(
    { bytes: Buffer.from('name=Zo\xeb\n', 'latin1'), name: 'x.pairs' },
    { encoding: 'latin1' },
  )
  expect(await latin1.readBulk()).toEqual([{ name: 'Zoë' }])
})

/** The README says what the code declares, and its snippets run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ERRORS } from '../src/core/error-codes.ts'

const ROOT = resolve(import.meta.dirname, '..')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

it('has tables that are those of the declarations (node scripts/docs.mjs writes them)', async () => {
  const { renderDocs } = await import('../scripts/docs.mjs')
  for (const [path, text] of Object.entries(await renderDocs())) {
    expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(text)
  }
})

it('has every error code raised somewhere, and none raised that is not declared', async () => {
  const { readdirSync } = await import('node:fs')
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    name => name.endsWith('.ts') && name !== join('core', 'error-codes.ts'),
  )
  const text = files.map(name => readFileSync(join(ROOT, 'src', name), 'utf8')).join('\n')
  const unused = Object.keys(ERRORS).filter(code => !text.includes(`'${code}'`))
  expect(unused).toEqual([])
})

it('names, for each promise of the README, tests that are there', () => {
  const section = /^## What it promises$([\s\S]*?)^## /m.exec(readme)![1]!
  const promises = [...section.matchAll(/^\| (.*\*\*.*) \| (.*) \|$/gm)].map(([, promise, tests]) => ({
    promise: promise!,
    tests: [...tests!.matchAll(/\[`(.+?)`\]\(((?:test|src\/testing)\/.+?\.ts)\)/g)],
  }))
  expect(promises.length).toBeGreaterThan(7)
  expect(promises.filter(({ tests }) => tests.length === 0)).toEqual([])
  const missing = promises
    .flatMap(({ tests }) => tests)
    .filter(([, title, file]) => !readFileSync(join(ROOT, file!), 'utf8').includes(`'${title}'`))
  expect(missing.map(([link]) => link)).toEqual([])
})

describe('snippets of README.md', () => {
  // Under the project, so that vitest compiles what is in it.
  const folder = mkdtempSync(join(ROOT, 'test', '.snippets-'))
  const before = process.cwd()
  const people = 'id,name,city\n007,Ada,London\n008,Bob,\n009,Cid,Rome\n'

  beforeAll(() => {
    writeFileSync(join(folder, 'people.csv'), people)
    writeFileSync(join(folder, 'people.csv.gz'), gzipSync(people))
    writeFileSync(join(folder, 'people.jsonl'), '{"id":1}\n')
    process.chdir(folder)
  })
  afterAll(() => {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  })

  const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(match => match[1]!)
  expect(snippets.length).toBeGreaterThan(2)
  for (const [i, code] of snippets.entries()) {
    it(`runs: ${code.split('\n').find(line => /openIterable\(|onvert\(|pipeline\(/.test(line))}`, async () => {
      const log = vi.spyOn(console, 'log').mockImplementation(() => {})
      const file = join(folder, `${i}.ts`)
      writeFileSync(
        file,
        code
          .replace("'open-iterable'", "'../../src/index.ts'")
          .replace('open-iterable/resilience', '../../src/resilience/index.ts'),
      )
      await import(file)
      log.mockRestore()
    })
  }

  it('publishes what they write', async () => {
    const { openIterable } = await import('../src/index.ts')
    expect(await openIterable(join(folder, 'adults.jsonl.gz')).readBulk()).toEqual([
      { id: '007', name: 'Ada', city: 'London' },
      { id: '009', name: 'Cid', city: 'Rome' },
    ])
  })
})

/** Hostile input, from end to end; and SECURITY.md names tests and limits that are there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convert, detect, inferSchema, MemoryTarget, openIterable } from '../src/index.ts'

const ROOT = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'open-iterable-security-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('SECURITY.md', () => {
  const text = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8')

  it('names tests that are there', () => {
    const cited = [...text.matchAll(/\[`(.+?)`\]\((test\/.+?\.ts)\)/g)].map(([, title, file]) => ({
      title: title!,
      file: file!,
    }))
    expect(cited.length).toBeGreaterThan(20)
    const missing = cited.filter(({ title, file }) => !readFileSync(join(ROOT, file), 'utf8').includes(`'${title}'`))
    expect(missing).toEqual([])
  })

  it('has the defaults that the options have', () => {
    const options = readFileSync(join(ROOT, 'docs/options.md'), 'utf8')
    const limits = [...text.matchAll(/^\| `(\w+)` \| `?([^`|]+?)`? \|/gm)].map(([, name, value]) => `${name} ${value}`)
    expect(limits.length).toBeGreaterThan(5)
    const known = new Set(
      [...options.matchAll(/^\| `(\w+)` \| (?:\\\||[^|])* \| ((?:\\\||[^|])*?) \|/gm)].map(
        ([, name, value]) => `${name} ${value}`,
      ),
    )
    expect(limits.filter(limit => !known.has(limit))).toEqual([])
  })
})

const rowsOf = (text: string, name: string) => openIterable({ text, name }).readBulk()

describe('a file that nests millions deep', () => {
  const depth = 3_000_000
  const text = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}\n`

  it('is read without running out of stack', async () => {
    for (const name of ['x.jsonl', 'x.json']) {
      const rows = await rowsOf(text, name)
      expect(rows).toHaveLength(1)
      expect(Array.isArray(rows[0]!.a)).toBe(true)
    }
    expect((await inferSchema({ text, name: 'x.jsonl' })).columns).toHaveLength(1)
    expect((await detect({ text })).format).toMatch(/^jsonl?$/)
  })

  it.each(['y.jsonl', 'y.json', 'y.csv'])('is refused on the way into %s, with a code', async name => {
    const target = new MemoryTarget(name)
    await expect(convert({ text, name: 'x.jsonl' }, target)).rejects.toMatchObject({
      code: expect.stringMatching(/_UNWRITABLE$/),
    })
    expect(target.bytes()).toHaveLength(0)
  })

  it('is refused by flatten, with a code', async () => {
    const nested = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}\n`
    const flat = convert({ text: nested, name: 'x.jsonl' }, new MemoryTarget('y.csv'), { flatten: true })
    await expect(flat).rejects.toMatchObject({ code: 'ROW_NESTING' })
  })
})

describe('names in a file', () => {
  it('that objects have are data, and reach no prototype', async () => {
    const csv = await rowsOf('__proto__,constructor,toString\nx,y,z\n', 'x.csv')
    const jsonl = await rowsOf('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}\n', 'x.jsonl')
    const target = new MemoryTarget('y.jsonl')
    await convert({ text: '__proto__.polluted,constructor.prototype.polluted\n1,1\n', name: 'x.csv' }, target, {
      unflatten: true,
    })
    for (const row of [...csv, ...jsonl]) expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
    expect(Object.keys(csv[0]!)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(target.text()).toBe('{"__proto__":{"polluted":"1"},"constructor":{"prototype":{"polluted":"1"}}}\n')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('become no code of the row builders that are generated', async () => {
    const names = ["a'];globalThis.broken=1;['", '`+globalThis.broken+`', 'a\u2028b', '"+globalThis.broken+"', '\\']
    const quoted = (values: readonly string[]) => values.map(value => `"${value.replaceAll('"', '""')}"`).join()
    const text = [names, ...Array.from({ length: 1000 }, () => names)].map(quoted).join('\n')
    let rows = 0
    for await (const row of openIterable({ text, name: 'x.csv' })) {
      expect(row).toEqual(Object.fromEntries(names.map(name => [name, name])))
      rows++
    }
    expect(rows).toBe(1000)
    expect(globalThis).not.toHaveProperty('broken')
  })

  it('as many as a million take time in proportion', async () => {
    // The same name a million times is the worst for whoever makes names unique.
    const reader = await openIterable({ text: `${'c,'.repeat(1e6)}\n`, name: 'x.csv' })
    expect(new Set(reader.columns).size).toBe(1e6 + 1)
    await reader.close()
  })
})

describe('names of files', () => {
  it('that look like SQL, patterns or URLs stay names', async () => {
    const name = "x'); DROP TABLE people; --[1].csv"
    writeFileSync(join(folder, name), 'a\n1\n')
    expect(await openIterable(join(folder, name)).readBulk()).toEqual([{ a: '1' }])
    const parquet = join(folder, "x'; --.parquet")
    await convert(join(folder, name), parquet)
    expect(await openIterable(parquet).readBulk()).toEqual([{ a: 1 }])
    await expect(openIterable('javascript://x.csv').read()).rejects.toMatchObject({ code: 'TARGET_UNSUPPORTED' })
  })
})

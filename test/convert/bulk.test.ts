/** `bulkConvert`: many files at once, nothing lost, and a second run does only what is left. */
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fillTemplate, splitName } from '../../src/convert/template.ts'
import { type BulkItem, type BulkProgress, bulkConvert, convert, MemoryTarget } from '../../src/index.ts'

let root: string
let home: string
let out: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'open-iterable-bulk-'))
})
afterAll(() => rm(root, { recursive: true }))

/** A fresh folder with files of so many rows, and one for the output. */
async function prepare(files: Readonly<Record<string, string>>): Promise<void> {
  home = await mkdtemp(join(root, 'in-'))
  out = await mkdtemp(join(root, 'out-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(home, name, '..'), { recursive: true })
    await writeFile(join(home, name), text)
  }
}
const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ n: from + i, t: `t${i}` })}\n`).join('')
const failure = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => expect.unreachable('it did not fail'),
    error => error,
  )
const tree = async (folder: string): Promise<Record<string, string>> => {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
  const paths = names.map(entry => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(
    await Promise.all(paths.map(async path => [path.slice(folder.length + 1), await readFile(path, 'utf8')])),
  )
}

describe('templates', () => {
  it.each([
    ['x.csv.gz', 'x', 'csv.gz'],
    ['x.csv', 'x', 'csv'],
    ['a.b.jsonl.zst.gz', 'a.b', 'jsonl.zst.gz'],
    ['x', 'x', ''],
    ['.hidden', '.hidden', ''],
    ['x.gz', 'x', 'gz'],
  ])('%s is %s and %s', (name, stem, ext) => {
    expect(splitName(name)).toEqual({ stem, ext })
    expect(fillTemplate('s3://b/{dir}/{stem}.p', { dir: '', name, index: 1 })).toBe(`s3://b/${stem}.p`)
  })
})

describe('bulkConvert', () => {
  it('converts a folder, a glob or a list, into folders that it makes', async () => {
    await prepare({ 'a.jsonl': rows(3), 'b/c.jsonl': rows(2, 10), 'b/d.csv': 'n,t\n7,x\n' })
    const summary = await bulkConvert(home, `${out}/{dir}/{stem}.csv`)
    expect(summary).toMatchObject({ rowsIn: 6, rowsOut: 6, failed: [], cancelled: [], workers: 0 })
    expect(summary.succeeded.map(({ from, status }) => [from.slice(home.length + 1), status])).toEqual([
      ['a.jsonl', 'converted'],
      ['b/c.jsonl', 'converted'],
      ['b/d.csv', 'converted'],
    ])
    const all = { 'a.csv': 'n,t\n0,t0\n1,t1\n2,t2\n', 'b/c.csv': 'n,t\n10,t0\n11,t1\n', 'b/d.csv': 'n,t\n7,x\n' }
    expect(await tree(out)).toEqual(all)
    await rm(out, { recursive: true })
    await convert(`${home}/**/*.jsonl`, `${out}/{dir}/{stem}.csv`)
    expect(Object.keys(await tree(out))).toEqual(['a.csv', 'b/c.csv'])
    const targets = [{ text: '{"a":1}\n', name: 'm.jsonl' }, join(home, 'a.jsonl')]
    await bulkConvert(targets, ({ stem, index }) => `${out}/${index}-${stem}.csv`)
    expect(Object.keys(await tree(out))).toEqual(['1-m.csv', '2-a.csv', 'a.csv', 'b/c.csv'])
  })

  it('gives results as they come, and goes on after a failure', async () => {
    await prepare({ '1.jsonl': rows(2), '2.jsonl': 'no\n', '3.jsonl': rows(1) })
    const items: BulkItem[] = []
    const bulk = bulkConvert(`${home}/*.jsonl`, `${out}/{stem}.csv`, { concurrency: 1 })
    for await (const item of bulk) items.push(item)
    expect(items.map(({ status }) => status)).toEqual(['converted', 'failed', 'converted'])
    expect(items[1]!.error).toMatchObject({ code: 'JSON_INVALID', label: join(home, '2.jsonl') })
    expect(Object.keys(await tree(out))).toEqual(['1.csv', '3.csv'])
    expect((await bulk).failed).toEqual([items[1]])
    const all = convert(`${home}/*.jsonl`, `${out}/{stem}.tsv`)
    expect(await failure(all)).toMatchObject({ code: 'BULK_FAILED', summary: { rowsOut: 3 } })
    const stopped = await bulkConvert(`${home}/*.jsonl`, `${out}/{stem}.psv`, { concurrency: 1, stopOnError: true })
    expect([stopped.succeeded, stopped.failed, stopped.cancelled].map(({ length }) => length)).toEqual([1, 1, 1])
  })

  it('refuses two outputs of one name, and outputs that are sources, before it writes', async () => {
    await prepare({ 'a/x.csv': 'a\n1\n', 'b/x.csv': 'a\n2\n' })
    expect(await failure(bulkConvert(home, `${out}/{stem}.jsonl`))).toMatchObject({ code: 'OUTPUT_COLLISION' })
    expect(await failure(bulkConvert(home, `${home}/{dir}/{name}`))).toMatchObject({ code: 'OUTPUT_COLLISION' })
    expect(await failure(bulkConvert(home, `${out}/{stm}.jsonl`))).toMatchObject({
      code: 'OPTION_INVALID',
      hint: 'did you mean {stem}?',
    })
    expect(await failure(bulkConvert(home, `${out}/{dir}.csv`, { workrs: 1 } as object))).toMatchObject({
      code: 'OPTION_UNKNOWN',
    })
    expect(await failure(bulkConvert(7 as never, `${out}/{dir}.csv`))).toMatchObject({ code: 'OPTION_INVALID' })
    expect(await tree(out)).toEqual({})
  })

  it('lets no name of a source lead out of the folder of the template', async () => {
    await prepare({})
    const text = '{"a":1}\n'
    for (const named of [
      { dir: '../up', name: 'x.jsonl' },
      { dir: '/etc', name: 'x.jsonl' },
      { name: '../x.jsonl' },
      { name: 'a\\x.jsonl' },
      { name: '..' },
    ]) {
      const sources = [{ target: { text, name: 'x.jsonl' }, ...named }]
      for (const to of [`${out}/{dir}/{stem}.csv`, () => `${out}/y.csv`]) {
        expect(await failure(bulkConvert(sources, to))).toMatchObject({ code: 'OUTPUT_UNSAFE' })
      }
    }
    expect(await tree(out)).toEqual({})
  })

  it('is given up by an abort or by leaving the loop', async () => {
    await prepare(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.jsonl`, rows(500)])))
    const controller = new AbortController()
    const reason = new Error('enough')
    const bulk = bulkConvert(home, `${out}/{stem}.csv`, { signal: controller.signal, concurrency: 2 })
    const seen: BulkItem[] = []
    const loop = (async () => {
      for await (const item of bulk) {
        seen.push(item)
        controller.abort(reason)
      }
    })()
    expect(await failure(loop)).toBe(reason)
    expect(await failure(bulk)).toBe(reason)
    for await (const _ of bulkConvert(home, `${out}/{stem}.tsv`, { concurrency: 1 })) break
    const made = Object.keys(await tree(out))
    expect(made.filter(name => name.endsWith('.csv')).length).toBeLessThan(20)
    expect(made.filter(name => name.endsWith('.tsv')).length).toBeLessThan(20)
    expect(made.filter(name => !/^\d+\.[ct]sv$/.test(name))).toEqual([])
  })

  it('tells how far it is', async () => {
    await prepare({ 'a.jsonl': rows(100), 'b.jsonl': rows(50) })
    const seen: BulkProgress[] = []
    await bulkConvert(home, `${out}/{stem}.csv`, { onProgress: progress => seen.push(progress), progressIntervalMs: 0 })
    expect(seen.at(-1)).toMatchObject({
      filesTotal: 2,
      filesDone: 2,
      filesFailed: 0,
      rowsIn: 150,
      rowsOut: 150,
      remainingMs: 0,
      underWay: [],
    })
    expect(seen.at(-1)!.bytesRead).toBe(seen.at(-1)!.bytesTotal)
  })

  it('only plans in a dry run', async () => {
    await prepare({ 'a.jsonl': rows(1) })
    const { succeeded } = await bulkConvert(home, `${out}/{stem}.csv`, { dryRun: true })
    expect(succeeded).toMatchObject([{ status: 'planned', plan: { to: { format: 'csv' } } }])
    expect(await tree(out)).toEqual({})
  })

  it('puts the bad records of all files into one place', async () => {
    await prepare({ 'a.jsonl': `${rows(1)}no\n`, 'b.jsonl': `nor\n${rows(1)}` })
    const letters = new MemoryTarget('bad.jsonl')
    const summary = await bulkConvert(home, `${out}/{stem}.csv`, { deadLetters: letters })
    expect(summary).toMatchObject({ rowsIn: 4, rowsOut: 2, rowsFailed: 2 })
    expect(
      letters
        .text()
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).raw)
        .sort(),
    ).toEqual(['no', 'nor'])
  })
})

describe('worker threads', () => {
  it('convert what can be handed over, with the same results and errors', async () => {
    await prepare({ 'a.jsonl': rows(2000), 'b.jsonl': `${rows(3)}no\n`, 'c.jsonl': rows(5) })
    const seen: BulkProgress[] = []
    const options = { workers: 2, onProgress: (progress: BulkProgress) => seen.push(progress), progressIntervalMs: 0 }
    const summary = await bulkConvert(home, `${out}/{stem}.csv`, options)
    expect(summary).toMatchObject({ rowsOut: 2005, workers: 2 })
    expect(summary.failed[0]!.error).toMatchObject({
      name: 'DataError',
      code: 'JSON_INVALID',
      line: 4,
      message: expect.stringContaining('b.jsonl:4'),
    })
    const threaded = await tree(out)
    await rm(out, { recursive: true })
    await bulkConvert(home, `${out}/{stem}.csv`, { workers: 0 })
    expect(threaded).toEqual(await tree(out))
    expect(await failure(bulkConvert(home, `${out}/{stem}.csv`, { workers: 1, map: row => row }))).toMatchObject({
      code: 'OPTION_INVALID',
    })
  })

  it('are given up by an abort', async () => {
    await prepare({ 'a.jsonl': rows(200_000) })
    const reason = new Error('enough')
    const controller = new AbortController()
    const options = {
      workers: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
      progressIntervalMs: 0,
    }
    expect(await failure(bulkConvert(home, `${out}/{stem}.csv`, options))).toBe(reason)
    expect(await tree(out)).toEqual({})
  })
})

describe('resume', () => {
  it('does what is missing, changed or failed, and nothing else', async () => {
    await prepare({ 'a.jsonl': rows(1), 'b.jsonl': rows(2), 'c.jsonl': 'no\n' })
    const run = async (options: object = {}) => {
      const { succeeded, failed } = await bulkConvert(home, `${out}/{dir}/{stem}.csv`, { resume: true, ...options })
      return [...succeeded, ...failed]
        .map(({ from, status }) => `${from.slice(home.length + 1, -6)} ${status}`)
        .sort()
        .join()
    }
    expect(await run()).toBe('a converted,b converted,c failed')
    expect(await run()).toBe('a unchanged,b unchanged,c failed')
    await writeFile(join(home, 'c.jsonl'), rows(1))
    expect(await run()).toBe('a unchanged,b unchanged,c converted')
    await utimes(join(home, 'a.jsonl'), new Date(), new Date(1e12))
    expect(await run()).toBe('a converted,b unchanged,c unchanged')
    await rm(join(out, 'b.csv'))
    expect(await run()).toBe('a unchanged,b converted,c unchanged')
    await writeFile(join(out, 'b.csv'), 'n,t\n0,t0\n1,tX\n')
    expect(await run()).toBe('a unchanged,b converted,c unchanged')
    expect(await run({ columns: ['n'] })).toBe('a converted,b converted,c converted')
    // A torn last line is as if it were not there.
    const manifest = join(out, '.open-iterable-manifest.jsonl')
    const text = await readFile(manifest, 'utf8')
    const lines = text.trim().split('\n')
    await writeFile(manifest, text.slice(0, -20))
    const again = await run({ columns: ['n'] })
    expect(again.match(/converted/g)).toHaveLength(1)
    expect(await run({ columns: ['n'] })).toBe('a unchanged,b unchanged,c unchanged')
    expect((await readFile(manifest, 'utf8')).trim().split('\n')).toHaveLength(lines.length + 1)
  })
})

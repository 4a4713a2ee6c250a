/** Patterns, what they list, and what is read of them as one. */
import { chmod, mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { matchesGlob, parseGlob } from '../src/core/glob.ts'
import { hasGlob } from '../src/core/target-urls.ts'
import { type ListedTarget, type ListOptions, listIterable, openIterable } from '../src/index.ts'
import { asNobody, TestFolder } from './sources/place.ts'
import { S3_PLACES } from './support/s3-places.ts'
import { startS3Server } from './support/s3-server/index.ts'

const folder = new TestFolder()
afterAll(() => folder.remove())

const FILES = [
  'logs/2025/a.csv',
  'logs/2025/b.csv',
  'logs/2026/01/c.csv',
  'logs/2026/01/d.jsonl',
  'logs/2026/e.csv.gz',
  'logs/.hidden/f.csv',
  'logs/.g.csv',
  'logs/h.csv',
  'a[1].csv',
  'a1.csv',
  '*.txt',
  'x.txt',
]

const contentOf = (name: string): Buffer => {
  const label = /(\w+)[^\w/]*\.(?:csv|txt)/.exec(name)?.[1] ?? 'd'
  if (name.endsWith('.jsonl')) return Buffer.from(`{"id":"${label}1"}\n`)
  const text = `id\n${label}1\n${label}2\n`
  return name.endsWith('.gz') ? gzipSync(text) : Buffer.from(text)
}

async function create(name: string, content: Uint8Array | string = contentOf(name)): Promise<void> {
  const path = join(folder.path, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

beforeAll(async () => {
  for (const name of FILES) await create(name)
  await symlink('..', join(folder.path, 'logs/2025/up'))
  await symlink('nowhere', join(folder.path, 'logs/nothing.csv'))
  await utimes(join(folder.path, 'logs/h.csv'), 1e9, 1e9)
})

async function namesOf(listing: AsyncIterable<ListedTarget>, base = `${folder.path}/`): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of listing) names.push(name.startsWith(base) ? name.slice(base.length) : name)
  return names
}
const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    error => error,
  )

describe('patterns', () => {
  it.each<[string, string[], string[]]>([
    ['*.csv', ['a.csv', '.csv'.slice(1).concat('.csv')], ['a.csv.gz', 'b/a.csv', '.a.csv']],
    ['?.csv', ['a.csv', 'ü.csv', '😀.csv'], ['ab.csv', '.csv']],
    ['[a-c]x', ['ax', 'cx'], ['dx', '-x', 'x']],
    ['[!a-c]x', ['dx', '-x'], ['ax', '.x']],
    ['[]]x', [']x'], ['x']],
    ['[a-]x', ['ax', '-x'], ['bx']],
    ['{a,b}.{csv,json}', ['a.csv', 'b.json'], ['c.csv', 'a.txt']],
    ['{a,{b,c}d}x', ['ax', 'bdx', 'cdx'], ['bx', 'ad']],
    ['**/x', ['x', 'a/x', 'a/b/x'], ['ax', 'x/a']],
    ['a/**/b', ['a/b', 'a/c/b', 'a/c/d/b'], ['a', 'b', 'ab', 'a/bb']],
    ['a/**/**/b', ['a/b', 'a/c/b'], ['a/c']],
    ['**', ['a', 'a/b'], []],
    ['a**b', ['ab', 'acb'], ['a/b']],
    ['\\*.csv', ['*.csv'], ['a.csv']],
    ['a.b', ['a.b'], ['axb']],
    ['(a+b)|^$', ['(a+b)|^$'], ['a']],
    ['.*', ['.a'], ['a']],
    ['-x-*', ['-x-1'], ['x-1']],
    ['{a}', ['{a}'], ['a']],
    ['[a', ['[a'], ['a']],
  ])('%s', (pattern, matching, others) => {
    const ways = parseGlob(pattern)
    const matches = (path: string) => ways.some(way => matchesGlob(way, path.split('/')))
    for (const path of matching) expect([path, matches(path)]).toEqual([path, true])
    for (const path of others) expect([path, matches(path)]).toEqual([path, false])
  })

  it('take no time to speak of, however they are made', () => {
    const way = parseGlob(`${'**/a*/'.repeat(20)}b`)[0]!
    expect(matchesGlob(way, new Array(2000).fill('aaaa'))).toBe(false)
    expect(() => parseGlob('{a,b}'.repeat(20))).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  it('are told from names', () => {
    expect(['a*', 'a?', '[a]', '{a,b}', '**'].every(hasGlob)).toBe(true)
    expect(['a.csv', 'a[].csv', '{a}', 'a]b', 'C:\\x'].some(hasGlob)).toBe(false)
  })
})

describe('local files', () => {
  const list = (pattern: string, options?: ListOptions) => namesOf(listIterable(join(folder.path, pattern), options))

  it.each<[string, string[]]>([
    ['logs/*.csv', ['logs/h.csv']],
    ['logs/**/*.csv', ['logs/2025/a.csv', 'logs/2025/b.csv', 'logs/2026/01/c.csv', 'logs/h.csv']],
    ['logs/*/*', ['logs/2025/a.csv', 'logs/2025/b.csv', 'logs/2026/e.csv.gz']],
    ['logs/.*/*.csv', ['logs/.hidden/f.csv']],
    ['logs/{2025,2026/01}/[a-c].csv', ['logs/2025/a.csv', 'logs/2025/b.csv', 'logs/2026/01/c.csv']],
    ['logs/2025/up/*.csv', ['logs/2025/up/h.csv']],
    ['logs/2026', ['logs/2026/01/c.csv', 'logs/2026/01/d.jsonl', 'logs/2026/e.csv.gz']],
    ['logs/2026/**', ['logs/2026/01/c.csv', 'logs/2026/01/d.jsonl', 'logs/2026/e.csv.gz']],
    ['logs/h.csv', ['logs/h.csv']],
    ['logs/h.csv/*', []],
    ['nothing/*/here', []],
    ['a[1].csv', ['a[1].csv']],
    ['*.txt', ['*.txt']],
  ])('of %s', async (pattern, names) => expect(await list(pattern)).toEqual(names))

  it('are those of the pattern, or of the very name, where that is said', async () => {
    expect(await list('a[1].csv', { glob: true })).toEqual(['a1.csv'])
    expect(await list('*.txt', { glob: true })).toEqual(['*.txt', 'x.txt'])
    expect(await list('*.txt', { glob: false })).toEqual(['*.txt'])
    expect(await list('logs/*.csv', { glob: false })).toEqual([])
  })

  it('come with size and time, by paths, URLs and relative paths', async () => {
    const listing = listIterable(pathToFileURL(join(folder.path, 'logs/h.csv')))
    expect((await listing.next()).value).toEqual({
      target: join(folder.path, 'logs/h.csv'),
      name: join(folder.path, 'logs/h.csv'),
      size: 9,
      modified: new Date(1e12),
    })
    const here = relative(process.cwd(), join(folder.path, 'logs'))
    expect(await namesOf(listIterable(`${here}/*.csv`), '')).toEqual([`${here}/h.csv`])
  })

  it('are an error where a folder may not be looked into', async () => {
    const path = join(folder.path, 'locked')
    await mkdir(path)
    await writeFile(join(path, 'x.csv'), 'a\n')
    await chmod(path, 0)
    const error = await asNobody(() => failure(list('locked/*.csv')))
    await chmod(path, 0o755)
    expect(error).toMatchObject({ code: 'SOURCE_DENIED' })
  })

  it('can be given up and aborted', async () => {
    const reason = new Error('enough')
    expect(await failure(list('logs/**', { signal: AbortSignal.abort(reason) }))).toBe(reason)
    for await (const _ of listIterable(join(folder.path, '**'))) break
  })

  it('are refused with what is no option, and what is no place', async () => {
    expect(await failure(list('x', { s3: {} }))).toMatchObject({ code: 'OPTION_UNKNOWN' })
    expect(await failure(namesOf(listIterable('https://host/*')))).toMatchObject({ code: 'TARGET_UNSUPPORTED' })
  })
})

describe('openIterable', () => {
  const ids = async (pattern: string, options: object = {}) => {
    const rows = await openIterable<{ id: string }>(join(folder.path, pattern), options).readBulk()
    return rows.map(({ id }) => id)
  }

  it('reads many files as one sequence of rows, each in its format and codecs', async () => {
    expect(await ids('logs/**')).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'e1', 'e2', 'h1', 'h2'])
    const reader = await openIterable(join(folder.path, 'logs/2025/*.csv'))
    expect([reader.format, reader.columns]).toEqual(['csv', ['id']])
    expect(await reader.readBulk()).toHaveLength(4)
    expect(reader.schema?.columns.map(({ name }) => name)).toEqual(['id'])
    await reader.reset()
    expect(await reader.readBulk()).toHaveLength(4)
    await reader.close()
  })

  it('says what file each row comes from', async () => {
    const options = { fileNameColumn: 'file' }
    const reader = await openIterable(join(folder.path, 'logs/2025/*.csv'), options)
    expect(reader.columns).toEqual(['id', 'file'])
    const rows = (await reader.readBulk()) as { id: string; file: string }[]
    expect(rows.map(({ id, file }) => `${id} ${relative(folder.path, file)}`)).toEqual([
      'a1 logs/2025/a.csv',
      'a2 logs/2025/a.csv',
      'b1 logs/2025/b.csv',
      'b2 logs/2025/b.csv',
    ])
    const arrays = openIterable(join(folder.path, 'logs/h.csv'), { ...options, header: false })
    expect(await arrays.readBulk(1)).toEqual([['id', join(folder.path, 'logs/h.csv')]])
    await arrays.close()
    const taken = openIterable(join(folder.path, 'logs/h.csv'), { fileNameColumn: 'id' })
    expect(await failure(taken.readBulk())).toMatchObject({ code: 'OPTION_INVALID' })
  })

  it('takes a name for itself before it takes it for a pattern', async () => {
    expect(await ids('a[1].csv')).toEqual(['11', '12'].map(() => expect.any(String)))
    const names = async (options: object) => {
      const rows = await openIterable(join(folder.path, 'a[1].csv'), { fileNameColumn: 'f', ...options }).readBulk()
      return [...new Set(rows.map(row => relative(folder.path, String(row.f))))]
    }
    expect(await names({})).toEqual(['a[1].csv'])
    expect(await names({ glob: true })).toEqual(['a1.csv'])
    expect(await names({ glob: false })).toEqual(['a[1].csv'])
  })

  it('reads nothing for a pattern that means nothing only as an error', async () => {
    expect(await failure(ids('none/*.csv'))).toMatchObject({ code: 'SOURCE_NOT_FOUND', found: 'none' })
    expect(await failure(ids('logs/*.csv', { glob: false }))).toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    const url = openIterable('https://host.invalid/x.csv', { glob: true })
    expect(await failure(url.readBulk())).toMatchObject({ code: 'TARGET_UNSUPPORTED' })
  })

  it('opens one file at a time, and leaves none open', async () => {
    for await (const _ of openIterable(join(folder.path, 'logs/**'))) {
      expect(folder.openCount()).toBe(1)
      break
    }
    expect(folder.openCount()).toBe(0)
  })

  it('tells which file is bad', async () => {
    await create('bad/1.csv', 'a,b\n1,2\n')
    await create('bad/2.csv', 'a,b\n1\n')
    const reader = openIterable(join(folder.path, 'bad/*.csv'))
    expect(await reader.readBulk()).toEqual([{ a: '1', b: '2' }])
    const error = await failure(reader.readBulk())
    expect(error).toMatchObject({ code: 'CSV_RAGGED_RECORD', label: join(folder.path, 'bad/2.csv'), line: 2 })
  })
})

for (const kind of S3_PLACES) {
  describe(`S3 ${kind.name}`, async () => {
    const at = await kind.start()
    afterAll(() => at.stop())
    const s3 = at.clientOptions
    const base = `s3://${at.bucket}/`
    const keys = [...FILES, 'odd/a b+c%20d.csv', 'odd/ü€😀.csv', "odd/it's?versionId=abc", 'odd//double.csv']
    beforeAll(async () => {
      const { PutObjectCommand } = await import('@aws-sdk/client-s3')
      for (const Key of keys) {
        await at.client.send(new PutObjectCommand({ Bucket: at.bucket, Key, Body: contentOf(Key) }))
      }
    })
    const list = (pattern: string, options: ListOptions = {}) =>
      namesOf(listIterable(base + pattern, { s3, ...options }), base)

    it.each<[string, string[]]>([
      ['logs/*.csv', ['logs/.g.csv', 'logs/h.csv']],
      ['logs/**/*.csv', FILES.filter(name => /^logs.*\.csv$/.test(name)).sort()],
      ['logs/*/*', FILES.filter(name => /^logs\/[^/]*\/[^/]*$/.test(name)).sort()],
      ['logs/2026/', ['logs/2026/01/c.csv', 'logs/2026/01/d.jsonl', 'logs/2026/e.csv.gz']],
      ['logs/2026/**', ['logs/2026/01/c.csv', 'logs/2026/01/d.jsonl', 'logs/2026/e.csv.gz']],
      ['logs/{2025,2026/01}/[a-c].csv', ['logs/2025/a.csv', 'logs/2025/b.csv', 'logs/2026/01/c.csv']],
      ['logs/h.csv', ['logs/h.csv']],
      ['logs/h', []],
      ['none/*', []],
      ['a[1].csv', ['a[1].csv']],
      ['odd/a b+c*', ['odd/a b+c%20d.csv']],
      ['odd/ü*', ['odd/ü€😀.csv']],
      ['odd//*', ['odd//double.csv']],
      ['', [...keys].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))],
    ])('lists %s', async (pattern, names) => expect(await list(pattern)).toEqual(names))

    it('lists with size, time and tag what can be opened again, whatever its key', async () => {
      for await (const { target, size, etag, modified } of listIterable(`${base}odd/**`, { s3 })) {
        expect([size > 0, /^"\w+"$/.test(etag ?? ''), modified.getTime() > 0]).toEqual([true, true, true])
        expect(await openIterable(target, { s3, format: 'csv' }).readBulk()).toHaveLength(2)
      }
    })

    it('reads a pattern as one sequence of rows', async () => {
      const rows = await openIterable(`${base}logs/2025/*.csv`, { s3, fileNameColumn: 'file' }).readBulk()
      expect(rows.map(({ id, file }) => [id, file])).toEqual([
        ['a1', `${base}logs/2025/a.csv`],
        ['a2', `${base}logs/2025/a.csv`],
        ['b1', `${base}logs/2025/b.csv`],
        ['b2', `${base}logs/2025/b.csv`],
      ])
      const literal = openIterable(`${base}a[1].csv`, { s3, fileNameColumn: 'file' })
      expect((await literal.readBulk())[0]!.file).toBe(`${base}a[1].csv`)
      expect(await failure(openIterable(`${base}none*.csv`, { s3 }).readBulk())).toMatchObject({
        code: 'SOURCE_NOT_FOUND',
      })
    })

    it('tells of a bucket that is not there', async () => {
      const listing = namesOf(listIterable(`s3://${at.bucket}-none/*.csv`, { s3 }))
      expect(await failure(listing)).toMatchObject({ code: 'SOURCE_NOT_FOUND', found: 'NoSuchBucket' })
    })
  })
}

describe('a listing of many pages', async () => {
  const server = await startS3Server({ buckets: ['many'] })
  afterAll(() => server.stop())
  const keys = Array.from(
    { length: 2500 },
    (_, i) => `p/${String(i).padStart(5, '0')}${i % 2 === 0 ? '.csv' : '/x.csv'}`,
  )
  for (const key of keys) server.put('many', key, 'a\n1\n')
  beforeEach(() => {
    server.faults.clear()
    server.requests.length = 0
  })
  const s3 = server.clientOptions
  const retry = { initialDelayMs: 0 }
  const list = (pattern: string, options: ListOptions = {}) =>
    namesOf(listIterable(`s3://many/${pattern}`, { s3, retry, ...options }), 's3://many/')

  it('is fetched page by page, as it is read', async () => {
    expect(await list('p/')).toEqual(keys)
    expect(server.requests).toHaveLength(3)
    server.requests.length = 0
    for await (const _ of listIterable('s3://many/p/', { s3 })) break
    expect(server.requests).toHaveLength(1)
    expect(await list('p/*.csv')).toEqual(keys.filter(key => !key.endsWith('/x.csv')))
    expect(await list('p/0000*/*.csv')).toEqual(keys.filter(key => /^p\/0000.\//.test(key)))
  })

  it.each([
    ['503', { status: 503 }],
    ['a reset', { resetAfterBytes: 20_000 }],
    ['a FIN', { endAfterBytes: 20_000 }],
    ['silence', { stallAfterBytes: 20_000 }],
  ])('is whole after %s on every other page', async (_, fault) => {
    server.faults.add({ ...fault, times: 1 }, { ...fault, skip: 1, times: 1 }, { ...fault, skip: 2, times: 1 })
    expect(await list('p/**', { timeoutMs: 300 })).toEqual(keys)
  })

  it('is an error where it stays broken', async () => {
    server.faults.add({ resetAfterBytes: 20_000, skip: 1, times: Number.POSITIVE_INFINITY })
    expect(await failure(list('p/**'))).toMatchObject({ code: 'SOURCE_FAILED' })
  })
})

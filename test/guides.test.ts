/** The guides in docs/: each snippet compiles and runs, and prints what its comments (`// →`) say; links lead somewhere. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { convert, openIterable } from '../src/index.ts'
import { HttpServer } from './sources/http-server.ts'
import { compileFolder, withSources } from './support/compile-snippets.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'
import { type S3Server, startS3Server } from './support/s3-server/index.ts'
import { snippetsOf } from './support/snippets.ts'

const ROOT = resolve(import.meta.dirname, '..')
const DOCS = join(ROOT, 'docs')
const guides = readdirSync(DOCS)
  .filter(name => name.endsWith('.md'))
  .map(name => {
    const text = readFileSync(join(DOCS, name), 'utf8')
    return { name, text, snippets: snippetsOf(text) }
  })
// Under the project, so that vitest compiles what is in it.
const folder = mkdtempSync(join(ROOT, 'test', '.snippets-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('all of the documentation', () => {
  const texts = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'src/README.md',
    ...guides.map(({ name }) => `docs/${name}`),
  ]

  it.each(texts)('%s has no link to what is not there', path => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    const links = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(
      match => match[1]!,
    )
    const broken = links.filter(link => {
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? join(ROOT, path) : resolve(ROOT, dirname(path), file)
      if (!existsSync(target)) return true
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  it('is linked from the README', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    expect(guides.map(({ name }) => `docs/${name}`).filter(path => !readme.includes(`(${path})`))).toEqual([])
  })

  it('has no code that nothing would check', () => {
    const unknown = texts.flatMap(path =>
      [...readFileSync(join(ROOT, path), 'utf8').matchAll(/^```(?!$)(.*)\n[\s\S]*?^```/gm)]
        .map(match => `${path}: ${match[1]}`)
        .filter(fence => !/: (ts|ts compile|ts file=\S+|sh|console|text)$/.test(fence)),
    )
    expect(unknown).toEqual([])
  })

  it('has snippets that compile', () => {
    const readme = snippetsOf(readFileSync(join(ROOT, 'README.md'), 'utf8'))
    const types = mkdtempSync(join(ROOT, 'test', '.snippets-'))
    try {
      for (const { name, snippets } of [...guides, { name: 'README.md', snippets: readme }]) {
        for (const { line, code } of snippets) writeFileSync(join(types, `${name}-${line}.ts`), code)
      }
      expect(compileFolder(types)).toEqual([])
    } finally {
      rmSync(types, { recursive: true })
    }
  })
})

describe.each(guides.filter(({ snippets }) => snippets.some(({ runs }) => runs)))(
  '$name',
  ({ name, text, snippets }) => {
    const place = join(folder, name)
    const before = process.cwd()
    let servers: Servers

    beforeAll(async () => {
      servers = await Servers.start(text)
      mkdirSync(place)
    })
    afterAll(async () => {
      process.chdir(before)
      await servers.stop()
    })

    it.each(snippets.filter(({ runs }) => runs))('runs what line $line has', async ({ line, code }) => {
      // Each in a folder of its own, so that none needs, or disturbs, another.
      const at = join(place, String(line))
      mkdirSync(at)
      process.chdir(at)
      await prepareFiles()
      const file = join(at, 'snippet.ts')
      writeFileSync(file, withSources(servers.reach(code), 4))
      const printed: string[] = []
      const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
        printed.push(values.map(value => (typeof value === 'string' ? value : inspect(value, INSPECT))).join(' '))
      })
      try {
        await import(file)
      } finally {
        log.mockRestore()
      }
      expect(inOrder(said(code), printed)).toEqual(said(code))
    })
  },
)

const INSPECT = { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 5 }

/** What comments say that is printed. */
const said = (code: string) => [...code.matchAll(/\/\/ → (.*)$/gm)].map(match => match[1]!.trim())

/** Those of `wanted` that are in `printed`, in this order; what was printed in the place of the first that is not. */
function inOrder(wanted: readonly string[], printed: readonly string[]): string[] {
  const found: string[] = []
  let at = 0
  for (const line of wanted) {
    const index = printed.indexOf(line, at)
    if (index < 0) return [...found, ...printed.slice(at)]
    found.push(line)
    at = index + 1
  }
  return found
}

/** Names that headings can be linked by. */
const anchorsOf = (markdown: string) =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )

const PEOPLE = 'id,name,city\n007,Ada,London\n008,Bob,\n009,Cid,Rome\n'

/** The small files that snippets work on, in the working folder. */
async function prepareFiles(): Promise<void> {
  mkdirSync('orders')
  writeFileSync('people.csv', PEOPLE)
  writeFileSync('people.csv.gz', gzipSync(PEOPLE))
  writeFileSync('people.jsonl', '{"id":1,"tags":["a"]}\n')
  writeFileSync('bad.csv', 'id,name\n1,Ada\n2,Bob,late\n3\n')
  writeFileSync('prices.csv', 'id,price,sold,day\n007,1.50,true,2026-01-31\n')
  writeFileSync('orders.json', '{"data":{"items":[{"id":1,"amount":5},{"id":9007199254740993,"amount":7}]}}')
  writeFileSync('orders/2026-01.csv', 'id,city,amount\n1,Rome,5.5\n2,Oslo,4.5\n')
  writeFileSync('orders/2026-02.csv', 'id,city,amount\n3,Rome,5\n4,Bern,7\n')
  await convert('people.csv', 'people.csv.zip')
  const flights = openIterable('flights.parquet', { mode: 'w' })
  await flights.writeBulk([
    { origin: 'LAX', delay: 90 },
    { origin: 'SEA', delay: 61 },
    { origin: 'SFO', delay: 3 },
  ])
  await flights.close()
}

/** The servers that a guide speaks of, on loopback, in the place of the addresses that it names. */
class Servers {
  readonly #http: HttpServer | undefined
  readonly #s3: S3Server | undefined
  readonly #postgres: PostgresServer | undefined

  private constructor(http: HttpServer | undefined, s3: S3Server | undefined, postgres: PostgresServer | undefined) {
    this.#http = http
    this.#s3 = s3
    this.#postgres = postgres
  }

  static async start(text: string): Promise<Servers> {
    const http = text.includes('https://example.com/') ? new HttpServer(gzipSync(PEOPLE)) : undefined
    await http?.listen()
    const s3 = text.includes('s3://data/') ? await startS3Server({ buckets: ['data'] }) : undefined
    if (s3 !== undefined) {
      vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.endpoint)
      vi.stubEnv('AWS_REGION', s3.region)
      vi.stubEnv('AWS_ACCESS_KEY_ID', s3.credentials.accessKeyId)
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', s3.credentials.secretAccessKey)
    }
    const postgres = text.includes(POSTGRES) ? await startPostgres() : undefined
    if (postgres !== undefined) {
      const { default: pg } = await import('pg')
      const client = new pg.Client(postgres.url)
      await client.connect()
      await client.query(
        "CREATE TABLE people AS SELECT * FROM (VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Cid')) AS p (id, name)",
      )
      await client.end()
    }
    return new Servers(http, s3, postgres)
  }

  /** The code with the addresses of these. */
  reach(code: string): string {
    return code
      .replaceAll('https://example.com', this.#http?.origin ?? '')
      .replaceAll(POSTGRES, this.#postgres?.url ?? POSTGRES)
  }

  async stop(): Promise<void> {
    vi.unstubAllEnvs()
    await this.#http?.stop()
    await this.#s3?.stop()
    await this.#postgres?.stop()
  }
}
const POSTGRES = 'postgres://app@localhost/shop'

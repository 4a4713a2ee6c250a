/** Small queries, which come by the thousand: what they cost, and that what is kept of one never misleads the next. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openIterable, type ReadOptions } from '../../src/index.ts'
import { TypeCatalog } from '../../src/sources/postgres/catalog.ts'
import { countConnections } from '../../src/sources/postgres/pool.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
let client: pg.Client
beforeAll(async () => {
  client = new pg.Client(subject.url)
  await client.connect()
  await subject.admin.query(`CREATE TABLE small (id int PRIMARY KEY, t text);
    INSERT INTO small SELECT i, 'name ' || i FROM generate_series(1, 20000) i`)
})
afterAll(() => client.end())

/** The packets that a read sends, by the types of the messages in them. */
async function packetsOf(read: () => PromiseLike<unknown>): Promise<string[]> {
  const { stream } = (
    client as unknown as { connection: { stream: { write(data: Buffer, ...rest: unknown[]): boolean } } }
  ).connection
  const packets: string[] = []
  const { write } = stream
  stream.write = function (data: Buffer, ...rest: unknown[]) {
    let types = ''
    for (let at = 0; at < data.length; at += 1 + data.readInt32BE(at + 1)) types += String.fromCharCode(data[at]!)
    packets.push(types)
    return write.call(this, data, ...rest)
  }
  try {
    await read()
  } finally {
    stream.write = write
  }
  return packets
}

describe('a statement that gave few rows', () => {
  const read = (id: number) =>
    openIterable({ postgres: client }, { query: 'SELECT t FROM small WHERE id <= $1 ORDER BY id', params: [id] })

  it('goes to the server in one packet the next time, with its BEGIN and its COMMIT', async () => {
    expect(await read(2).readBulk()).toHaveLength(2)
    // Parse, Bind, Execute of BEGIN; Parse, Bind, Describe, Execute; Parse, Bind, Execute of COMMIT; Sync.
    expect(await packetsOf(() => read(3).readBulk())).toEqual(['PBEPBDEPBES'])
    const { rows } = await client.query('SELECT pg_current_xact_id_if_assigned() IS NULL AS idle')
    expect(rows).toEqual([{ idle: true }])
  })

  it('may give many after all, be left early, and fail', async () => {
    expect(await read(20_000).readBulk(50_000)).toHaveLength(20_000)
    // Now it is read in parts again.
    expect((await packetsOf(() => read(20_000).readBulk(50_000)))[0]).toBe('PBEPBDEH')
    for (let i = 0; i < 5; i++) {
      expect(await read(1).readBulk()).toEqual([{ t: 'name 1' }])
      for await (const row of read(20_000)) {
        expect(row).toEqual({ t: 'name 1' })
        break
      }
      const failing = openIterable({ postgres: client }, { query: 'SELECT 1 / $1::int AS n', params: [i % 2] })
      if (i % 2 === 1) expect(await failing.readBulk()).toEqual([{ n: 1 }])
      else await expect(failing.readBulk()).rejects.toMatchObject({ code: 'QUERY_FAILED' })
    }
    expect((await client.query('SELECT 1 AS a')).rows).toEqual([{ a: 1 }])
  })

  it('still changes nothing', async () => {
    const write = () =>
      openIterable(subject.url, { query: "SELECT set_config('a.b', nextval('counted')::text, false)" }).readBulk()
    await subject.admin.query('CREATE SEQUENCE counted')
    for (let i = 0; i < 3; i++) await expect(write()).rejects.toMatchObject({ cause: { sqlState: '25006' } })
  })

  it('uses one connection after the other read is through', async () => {
    const small = (id: number) =>
      openIterable(subject.url, { query: 'SELECT t FROM small WHERE id = $1', params: [id] }).readBulk()
    await small(1)
    await small(1)
    await new Promise(setImmediate)
    const { idle } = countConnections()
    for (let id = 1; id <= 50; id++) expect(await small(id)).toEqual([{ t: `name ${id}` }])
    expect(countConnections().idle + countConnections().inUse).toBe(idle)
  })
})

describe('what is kept of the columns of a statement', () => {
  const query = 'SELECT v, w FROM changing'
  const read = (options: ReadOptions = {}) => openIterable(subject.url, { query, ...options }).readBulk()

  it('holds as long as the server describes them as before, and the options are the same', async () => {
    await subject.admin.query('CREATE TABLE changing (v int8, w numeric); INSERT INTO changing VALUES (1, 1.50)')
    for (let i = 0; i < 2; i++) {
      expect(await read()).toEqual([{ v: 1, w: '1.50' }])
      expect(await read({ bigint: 'bigint', decimals: 'number' })).toEqual([{ v: 1n, w: 1.5 }])
      expect(await read({ typeParsers: { int8: text => `own ${text}` } })).toEqual([{ v: 'own 1', w: '1.50' }])
    }
    const before = pg.types.getTypeParser(20)
    pg.types.setTypeParser(20, text => `set ${text}`)
    expect(await read()).toEqual([{ v: 'set 1', w: '1.50' }])
    pg.types.setTypeParser(20, before)
    expect(await read()).toEqual([{ v: 1, w: '1.50' }])
    await subject.admin.query("ALTER TABLE changing ALTER v TYPE bool USING true, ALTER w TYPE text USING 'x'")
    expect(await read()).toEqual([{ v: true, w: 'x' }])
  })

  it('is asked for anew after a while', async () => {
    const clock = new ManualClock()
    const catalog = new TypeCatalog(clock)
    const field = { name: 'a', tableOid: 7, columnNumber: 1, typeOid: 23, typeModifier: -1 }
    let required = true
    const run = async () => [{ table: '7', column: 1, type: '23', modifier: -1, domain: false, required }]
    await catalog.learn('SELECT a FROM t', [field], run)
    expect(catalog.knows('SELECT a FROM t')).toBe(true)
    expect(catalog.originOf('SELECT a FROM t', field)).toEqual({ required: true, domain: undefined })
    await clock.advance(10_000)
    expect(catalog.knows('SELECT a FROM t')).toBe(false)
    required = false
    await catalog.learn('SELECT a FROM t', [field], run)
    expect(catalog.originOf('SELECT a FROM t', field)).toMatchObject({ required: false })
  })
})

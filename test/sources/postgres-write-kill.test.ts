/** What a process leaves in a table that is killed while it writes: what was there, or all rows. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestFolder } from './place.ts'
import { usePostgres } from './postgres-subject.ts'

const COUNT = 20_000
const subject = usePostgres()
const folder = new TestFolder()
const library = join(folder.path, 'compiled')
const root = fileURLToPath(new URL('../..', import.meta.url))
const script = fileURLToPath(new URL('postgres-write-child.mjs', import.meta.url))

// The child is a plain Node process, which on the oldest supported version runs no TypeScript.
beforeAll(() => {
  const config = join(folder.path, 'tsconfig.json')
  const compilerOptions = {
    rootDir: join(root, 'src'),
    outDir: library,
    noEmit: false,
    declaration: false,
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const files = [join(root, 'src/sources/postgres/sink.ts')]
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files }))
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'))
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json')
  execFileSync(process.execPath, [join(dirname(compiler), 'bin/tsc'), '-p', config])
})
afterAll(() => folder.remove())

const OLD = [
  { id: -1, name: 'was there' },
  { id: -2, name: 'was there, too' },
]

beforeEach(async () => {
  await subject.admin.query(`DROP TABLE IF EXISTS people; CREATE TABLE people (id int4 PRIMARY KEY, name text)`)
  for (const { id, name } of OLD) await subject.admin.query('INSERT INTO people VALUES ($1, $2)', [id, name])
})

const start = (task: object) =>
  spawn(process.execPath, [script, library, JSON.stringify({ url: subject.url, count: COUNT, ...task })], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
const content = async () => (await subject.admin.query('SELECT id, name FROM people ORDER BY id DESC')).rows
const settled = async () => {
  while ((await subject.sessions()).length > 0) await new Promise(setImmediate)
}

describe.each([
  ['COPY', { options: { table: 'people' } }],
  ['COPY after truncate', { options: { table: 'people', truncate: true } }],
  ['COPY with conflicts', { options: { table: 'people', onConflict: 'update' } }],
  ['COPY by batches', { options: { table: 'people', truncate: true, batchSize: 1000 }, leavesOut: true }],
  ['INSERT', { options: { table: 'people', truncate: true, copy: false } }],
])('%s', (_, task) => {
  it.each([1, 999, 7000, COUNT])('leaves the table as it was when it is killed after row %i', async killAt => {
    const [code, signal] = await once(start({ ...task, killAt }), 'close')
    expect([code, signal]).toEqual([null, 'SIGKILL'])
    await settled()
    expect(await content()).toEqual(OLD)
  })
})

it('leaves the table as it was or whole when it is killed while it commits', async () => {
  await subject.admin.query(`CREATE OR REPLACE FUNCTION wait_for_lock() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_lock()`)
  const lock = new pg.Client(subject.url)
  await lock.connect()
  await lock.query('SELECT pg_advisory_lock(7)')
  const child = start({ options: { table: 'people', onConflict: 'update' } })
  const gone = once(child, 'close')
  const waits = `SELECT FROM pg_stat_activity WHERE wait_event = 'advisory' AND query = 'COMMIT'`
  while ((await subject.admin.query(waits)).rowCount === 0) await new Promise(setImmediate)
  child.kill('SIGKILL')
  await gone
  await lock.query('SELECT pg_advisory_unlock(7)')
  await settled()
  await lock.end()
  const found = (await content()).length
  expect([OLD.length, OLD.length + COUNT]).toContain(found)
})

/** Verbs that answer questions, and what holds for all of them. */
import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VERBS } from '../../src/cli/verbs.ts'
import { BIN, cli } from './running.ts'

let folder: string
const file = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-verbs-'))
  await writeFile(file('a.csv'), 'id,name\n1,Ada\n2,Bob\n3,Cid\n')
  await writeFile(file('b.csv'), 'id,name\n1,Ada\n2,Bo\n4,Dan\n')
  await writeFile(file('bad.csv'), 'id,name\n1,Ada\nx,Bob\n3\n')
  await writeFile(file('schema.json'), '{"properties":{"id":{"type":"integer"}},"required":["id"]}')
  await cli(['convert', 'a.csv', 'a.parquet'], { cwd: folder })
})
afterAll(() => rm(folder, { recursive: true }))
const here = (words: readonly string[], options = {}) => cli(words, { cwd: folder, ...options })

describe('sql', () => {
  it('writes rows for the next program', async () => {
    const run = await here(['sql', 'select name from a where id > 1 order by id', 'a.csv'])
    expect([run.code, run.out]).toEqual([0, '{"name":"Bob"}\n{"name":"Cid"}\n'])
    expect(run.err).toMatch(/^note: a: 3 rows copied to a temp file of /)
    const named = await here([
      'sql',
      'select x.id from x join y using (id)',
      'x=a.parquet',
      'y=b.csv',
      '--to',
      'csv',
      '-q',
    ])
    expect(named).toEqual({ code: 0, out: 'id\n1\n2\n', err: '' })
    const table = await here(['sql', 'select * from a order by id', 'a.parquet', '--to', 'table'])
    expect(table.out).toBe('id  name\n──  ────\n 1  Ada\n 2  Bob\n 3  Cid\n')
    const input = await here(['sql', 'select a + $1 as b from stdin', '-', '-f', 'csv', '-p', '2'], { input: 'a\n1\n' })
    expect(input.out).toBe('{"b":3}\n')
  })

  it('says where a query is wrong', async () => {
    const run = await here(['sql', 'select nam from a', 'a.parquet'])
    expect(run.code).toBe(2)
    expect(run.err).toMatch(/^<sql>:1:8 \[QUERY_INVALID\].*"name"/)
    expect((await here(['sql', 'select 1', 'x=a.csv', 'b.csv'])).err).toMatch(/b\.csv has no name, and other tables do/)
  })
})

describe('diff', () => {
  it('tells what differs, and ends with 1', async () => {
    const run = await here(['diff', 'a.csv', 'b.csv', '--key', 'id'])
    expect(run).toEqual({
      code: 1,
      out: '~ id=2  name: Bob → Bo\n- id=3  name=Cid\n+ id=4  name=Dan\n',
      err: '1 added, 1 removed, 1 changed, 1 unchanged\n',
    })
    expect(await here(['diff', 'a.csv', 'a.parquet'])).toEqual({ code: 0, out: '', err: 'no differences in 3 rows\n' })
    const summary = await here(['diff', 'a.csv', 'b.csv', '-k', 'id', '--summary', '--json'])
    expect(JSON.parse(summary.out)).toMatchObject({ equal: false, added: 1, removed: 1, changed: 1, unchanged: 1 })
  })
})

describe('validate', () => {
  it('tells bad rows with their place, and ends with 1', async () => {
    const run = await here(['validate', 'bad.csv', '--schema', 'schema.json', '--dead-letters', 'letters.jsonl'])
    expect(run.code).toBe(1)
    expect(run.out.split('\n').sort()).toEqual([
      '',
      'bad.csv:3 [SCHEMA_INVALID] record 2: id must be integer, found "x"',
      'bad.csv:4:1 [CSV_RAGGED_RECORD] expected 2 fields, found 1; mend the record, or read with { relax: true }',
    ])
    expect(run.err).toMatch(/^1 good, 2 bad/)
    expect((await readFile(file('letters.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(2)
    expect((await here(['validate', 'a.csv', '--schema', 'schema.json'])).code).toBe(0)
    expect((await here(['validate', 'bad.csv', '-s', 'schema.json', '--max-errors', '0'])).err).toMatch(
      /TOO_MANY_ERRORS/,
    )
    expect((await here(['validate', 'a.csv', '-s', 'none.json'])).code).toBe(2)
    expect((await here(['validate', 'a.csv'])).err).toMatch(/3 good, 0 bad, by what the first rows show/)
  })
})

describe('every verb', () => {
  const calls: Record<string, readonly string[]> = {
    convert: ['a.csv', 'out.jsonl'],
    head: ['a.csv'],
    tail: ['a.csv'],
    peek: ['a.csv'],
    count: ['a.csv', 'a.parquet'],
    schema: ['a.csv'],
    sniff: ['a.csv'],
    cat: ['a.csv'],
    sql: ['select * from a', 'a.csv'],
    diff: ['a.csv', 'b.csv', '-k', 'id'],
    validate: ['bad.csv', '-s', 'schema.json'],
    formats: [],
    doctor: [],
    stats: ['a.csv'],
  }

  it.each(Object.entries(calls))('%s --json gives JSON, line by line', async (verb, words) => {
    const { out } = await here([verb, ...words, '--json'])
    const lines = out.trim().split('\n')
    for (const line of lines) expect(JSON.parse(line)).toBeTypeOf('object')
    expect(VERBS.map(one => one.name)).toContain(verb)
  })

  it.each(['convert', 'head', 'tail', 'peek', 'count', 'schema', 'sniff', 'cat', 'validate', 'stats'])(
    '%s --json tells errors as JSON',
    async verb => {
      const target = verb === 'convert' ? ['none.csv', 'x.jsonl'] : ['none.csv']
      const { err, code } = await here([verb, ...target, '--json'])
      expect(code).toBe(1)
      expect(JSON.parse(err)).toMatchObject({ error: { code: 'SOURCE_NOT_FOUND', label: expect.any(String) } })
    },
  )

  it.each(['--', '-x.csv', '--json', 'a b.csv', 'a\nb.csv', "it's.csv", 'a*.csv', '[x].csv', '\u001b[31m.csv'])(
    'takes the name %j for a file after --',
    async name => {
      await writeFile(file(name), 'k\nv\n')
      const format = name.endsWith('.csv') ? [] : ['-f', 'csv']
      const { out, code } = await here(['cat', ...format, '--', name])
      expect([code, out]).toEqual([0, '{"k":"v"}\n'])
      const missing = await here(['head', '--', `${name}.none.csv`])
      expect(missing.code).toBe(1)
      expect(missing.err).not.toContain('\u001b')
      expect(missing.err.trim().split('\n')).toHaveLength(1)
      await rm(file(name))
    },
  )

  it('refuses numbers that are none', async () => {
    for (const rows of ['-1', '1.5', 'x']) expect((await here(['head', 'a.csv', '-n', rows])).code).toBe(2)
    expect((await here(['help', 'hed'])).code).toBe(2)
  })
})

describe('count', () => {
  it('asks a Parquet file, and counts the rows of all else', async () => {
    expect((await here(['count', 'a.parquet'])).out).toBe('3\n')
    expect((await here(['count', '*.parquet'])).out).toBe('3\n')
    // The footer says how many rows there are, though one column chunk is damaged.
    const bytes = await readFile(file('a.parquet'))
    bytes.fill(0xff, 4, 20)
    await writeFile(file('damaged.parquet'), bytes)
    expect((await here(['count', 'damaged.parquet'])).out).toBe('3\n')
    await rm(file('damaged.parquet'))
  })
})

describe('head', () => {
  it('takes a pattern for all that it means', async () => {
    const { out } = await here(['head', '[ab].csv', '-n', '4', '--json'])
    expect(
      out
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).name),
    ).toEqual(['Ada', 'Bob', 'Cid', 'Ada'])
  })
})

describe('starting', () => {
  const recorder = join(import.meta.dirname, '../support/record-loads.mjs')
  const loaded = async (...words: string[]) => {
    const run = promisify(execFile)(process.execPath, ['--import', recorder, BIN, ...words], { cwd: folder })
    return JSON.parse((await run).stdout.trim().split('\n').at(-1)!) as string[]
  }
  const bytesOf = (urls: readonly string[]) => urls.reduce((sum, url) => sum + statSync(new URL(url)).size, 0)

  it('loads no more than it needs', async () => {
    // The verbs, and none of the library.
    const version = await loaded('--version')
    expect(bytesOf(version)).toBeLessThan(40_000)
    expect(version.filter(url => url.endsWith('/chunks/main.js'))).toEqual([])
    const head = await loaded('head', 'a.csv')
    expect(bytesOf(head)).toBeLessThan(220_000)
    expect(head.filter(url => /duckdb|convert|query|profile|report|node_modules/.test(url))).toEqual([])
  })
})

describe('in a shell', () => {
  const bash = (script: string) =>
    promisify(execFile)('bash', ['-c', script], { cwd: folder, env: { ...process.env, NODE: process.execPath, BIN } })

  it('ends well when the next program has enough', async () => {
    const rows = Array.from({ length: 200_000 }, (_, id) => `{"id":${id}}\n`).join('')
    await writeFile(file('many.jsonl'), rows)
    for (const words of ['cat many.jsonl', "sql 'select * from range(1000000)'", 'diff many.jsonl a.csv']) {
      const { stdout, stderr } = await bash(`set -o pipefail; "$NODE" "$BIN" ${words} --quiet | head -n 1 | wc -l`)
      expect([stdout.trim(), stderr]).toEqual(['1', ''])
    }
  }, 60_000)

  it('completes verbs, options, choices and files', async () => {
    const complete = async (...words: string[]) => {
      const script = `source <("$NODE" "$BIN" completion bash)
        COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
        _open_iterable; printf '%s\\n' "\${COMPREPLY[@]}"`
      return (await bash(script)).stdout.trim().split('\n')
    }
    expect(await complete('open-iterable', 'c')).toEqual(['convert', 'count', 'cat', 'completion'])
    expect(await complete('open-iterable', 'sniff', '--e')).toEqual(['--explain'])
    expect(await complete('open-iterable', 'convert', '--engine', 'd')).toEqual(['duckdb'])
    expect(await complete('open-iterable', 'completion', 'z')).toEqual(['zsh'])
    // Left to the shell.
    expect(await complete('open-iterable', 'head', 'a')).toEqual([''])
  })

  it('stops on SIGTERM with 143', async () => {
    const script = `mkfifo pipe; "$NODE" "$BIN" convert pipe out2.jsonl -f csv & child=$!
      exec 3> pipe; printf 'a\\n1\\n' >&3; while ! ls -A | grep -q 'out2.jsonl.'; do :; done
      kill -TERM $child; wait $child; echo $?; ls -A | grep out2 || true`
    expect((await bash(script)).stdout.trim()).toBe('143')
  })
})

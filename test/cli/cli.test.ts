/** The command line, run as a binary: its verbs on real files, and its manners. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VERBS } from '../../src/cli/verbs.ts'
import { BIN, cli } from './running.ts'

const DATA = resolve('node_modules/vega-datasets/data')
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-cli-'))
  await writeFile(join(folder, 'people.csv'), 'id,name,born\n1,Ada,1815-12-10\n2,"Grace, H",1906-12-09\n3,,\n')
  await writeFile(join(folder, 'people.csv.gz'), gzipSync('id,name\n1,Ada\n'))
  await writeFile(join(folder, 'bad.csv'), 'a,b\n1,2\n3\n4,5\n')
})
afterAll(() => rm(folder, { recursive: true }))
const here = (words: readonly string[], options = {}) => cli(words, { cwd: folder, ...options })

describe('verbs', () => {
  it('head and tail show a table that fits', async () => {
    expect(await here(['head', 'people.csv', '-n', '2', '--cast'])).toEqual({
      code: 0,
      err: '',
      out: 'id  name      born\n──  ────────  ──────────\n 1  Ada       1815-12-10\n 2  Grace, H  1906-12-09\n',
    })
    const { out } = await here(['tail', 'people.csv', '-n', '1', '--json'])
    expect(JSON.parse(out)).toEqual({ id: '3', name: '', born: '' })
    const narrow = await here(['head', join(DATA, 'cars.json')], { env: { COLUMNS: '40' } })
    expect(narrow.out.split('\n').every(line => line.length <= 40)).toBe(true)
    expect(narrow.err).toMatch(/more columns: /)
  })

  it('head shows control characters, not what they do', async () => {
    const { out } = await here(['head', '-', '-f', 'csv'], { input: 'a\n"\u001b[31mred\u0007\nx"\n' })
    expect(out).toContain('\\u001b[31mred\\u0007⏎x')
  })

  it('count, peek, schema and sniff', async () => {
    expect((await here(['count', 'people.csv'])).out).toBe('3\n')
    expect((await here(['count', 'people.csv', 'people.csv.gz'])).out).toBe(
      '3\tpeople.csv\n1\tpeople.csv.gz\n4\ttotal\n',
    )
    expect((await here(['count', '-', '--json'], { input: '{"a":1}\n{"a":2}\n' })).out).toBe(
      '{"target":"-","rows":2}\n',
    )
    expect((await here(['peek', 'people.csv', '--cast'])).out).toContain('born    date     1815-12-10 · 1906-12-09')
    const ts = await here(['schema', 'people.csv', '--ts'])
    expect(ts.out).toBe('export interface People {\n  id: number\n  name: string | null\n  born: Date | null\n}\n')
    expect((await here(['schema', 'people.csv', '--ts', '--zod'])).code).toBe(2)
    expect(JSON.parse((await here(['schema', 'people.csv', '--json-schema'])).out)).toMatchObject({ type: 'object' })
    expect((await here(['sniff', 'people.csv.gz'])).out).toMatch(/csv/)
  })

  it('cat writes any format to standard output', async () => {
    const words = ['cat', 'people.csv', '--to', 'csv', '--columns', 'name,id', '--where', 'id>=2', '--cast']
    expect((await here(words)).out).toBe('name,id\n"Grace, H",2\n,3\n')
    expect((await here(['cat', 'people.csv', '-n', '1'])).out).toBe('{"id":"1","name":"Ada","born":"1815-12-10"}\n')
    expect((await here(['cat', '-', '-f', 'csv', '-d', ';'], { input: 'a;b\n1;2\n' })).out).toBe('{"a":"1","b":"2"}\n')
  })

  it('convert one and many', async () => {
    const one = await here(['convert', 'people.csv', 'out.jsonl', '--rename', 'id=key'])
    expect([one.code, one.out]).toEqual([0, ''])
    expect(one.err).toMatch(/people\.csv → out\.jsonl: 3 rows/)
    expect(await readFile(join(folder, 'out.jsonl'), 'utf8')).toMatch(/^\{"key":"1"/)
    const many = await here(['convert', 'people.csv', 'people.csv.gz', 'bad.csv', 'many/{stem}-{ext}.json'])
    expect(many.code).toBe(1)
    expect(many.err).toMatch(/bad\.csv:3:1 \[CSV_RAGGED_RECORD\]/)
    expect((await readdir(join(folder, 'many'))).sort()).toEqual(['people-csv.gz.json', 'people-csv.json'])
    const plan = await here(['convert', 'people.csv', 'x.csv.gz', '--explain'])
    expect(plan.out).toMatch(/engine {3}rows/)
    expect(await readdir(folder)).not.toContain('x.csv.gz')
    const machine = await here(['convert', 'people.csv', 'y.jsonl', '--json'])
    expect(JSON.parse(machine.out)).toMatchObject({ rowsIn: 3, rowsOut: 3 })
    const piped = await here(['convert', '-', '-', '-f', 'csv', '--to-format', 'jsonl'], { input: 'a\n1\n' })
    expect([piped.code, piped.out]).toEqual([0, '{"a":"1"}\n'])
  })

  it('formats and doctor say what there is', async () => {
    expect((await here(['formats'])).out).toMatch(/^kind .*\n.*\nformat +csv +yes +yes/)
    expect((await here(['doctor', '--json'])).out).toMatch(
      new RegExp(`"what":"node","found":"${process.versions.node}"`),
    )
  })
})

describe('manners', () => {
  it('has help with examples for every verb, and completion of them', async () => {
    const all = await cli(['--help'])
    for (const verb of VERBS) expect(all.out).toContain(`  ${verb.name} `)
    for (const verb of VERBS) {
      const { out, code } = await cli([verb.name, '--help'])
      expect(code).toBe(0)
      expect(verb.examples.length).toBeGreaterThan(0)
      for (const [command] of verb.examples) expect(out).toContain(command)
      for (const flag of verb.flags) expect(out).toContain(`--${flag.name}`)
    }
    for (const shell of ['bash', 'zsh', 'fish'])
      expect((await cli(['completion', shell])).out).toContain('open-iterable')
  }, 60_000)

  it.each([
    [['hed', 'x'], 2, 'there is no verb hed; did you mean head?'],
    [['head', 'x', '--rws', '3'], 2, 'did you mean --rows?'],
    [['head'], 2, 'head needs <target>'],
    [['head', 'a', 'b'], 2, 'takes 1 arguments, found 2'],
    [['head', 'people.csv', '-n', 'x'], 2, '--rows takes a number'],
    [['head', 'people.csv', '--read', 'delimeter=;'], 2, 'did you mean delimiter?'],
    [['convert', 'people.csv', 'z.jsonl', '--engine', 'rowz'], 2, 'did you mean rows?'],
    [['convert', 'people.csv', 'z.jsonl', '--columns', 'nam'], 2, 'did you mean "name"?'],
    [['head', 'none.csv'], 1, 'none.csv [SOURCE_NOT_FOUND]'],
    [['cat', 'bad.csv'], 1, 'bad.csv:3:1 [CSV_RAGGED_RECORD]'],
  ])('%j ends with %i and says why', async (words, code, text) => {
    const run = await here(words)
    expect(run.err).toContain(text)
    expect(run.err).not.toMatch(/\n {4}at /)
    expect(run.code).toBe(code)
  })

  it('tells errors as JSON with --json, those of the command line too', async () => {
    const misspelt = await here(['head', '--json', 'x', '--rws', '3'])
    expect([misspelt.code, misspelt.out]).toEqual([2, ''])
    expect(JSON.parse(misspelt.err)).toEqual({
      error: { code: 'USAGE', message: 'head has no option --rws', hint: 'did you mean --rows?' },
    })
    const missing = await here(['head', 'none.csv', '--json'])
    expect([missing.code, JSON.parse(missing.err).error.code]).toEqual([1, 'SOURCE_NOT_FOUND'])
  })

  it('shows a stack only with --verbose', async () => {
    expect((await here(['head', 'none.csv', '--verbose'])).err).toMatch(/\n {4}at /)
  })

  it('ends well when the pipe is closed', async () => {
    const run = await cli(['cat', join(DATA, 'birdstrikes.csv')], { onOutput: child => child.stdout!.destroy() })
    expect([run.code, run.err]).toEqual([0, ''])
  })

  it('ends with 130 on Ctrl-C, and leaves nothing behind', async () => {
    const home = await mkdtemp(join(folder, 'interrupted-'))
    const child = spawn(process.execPath, [BIN, 'convert', '-', join(home, 'out.jsonl'), '-f', 'csv'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.stdin.write('a\n1\n')
    // The temp file beside the target says that the conversion is under way.
    while (!(await readdir(home)).some(name => name !== 'out.jsonl')) await new Promise(setImmediate)
    child.kill('SIGINT')
    const code = await new Promise(done => child.on('exit', done))
    expect(code).toBe(130)
    expect((await readdir(home)).filter(name => name !== 'out.jsonl')).toEqual([])
  })

  it('has no colours where they are not wanted', async () => {
    expect((await here(['head', 'people.csv', '--color'])).out).toContain('\u001b[1m')
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }, {}]) {
      expect((await here(['head', 'people.csv'], { env })).out).not.toContain('\u001b[')
    }
  })
})

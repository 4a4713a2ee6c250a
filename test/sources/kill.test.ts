import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFileSink } from '../../src/sources/file-sink.ts'
import { TestFolder } from './place.ts'

const folder = new TestFolder()
const library = join(folder.path, 'compiled')
const root = fileURLToPath(new URL('../..', import.meta.url))
const script = join(folder.path, 'write-child.mjs')

// The child is a process of its own, also of another user, who may not see this repository; and a plain Node process, which on the oldest supported version runs no TypeScript.
beforeAll(() => {
  copyFileSync(fileURLToPath(new URL('write-child.mjs', import.meta.url)), script)
  const config = join(folder.path, 'tsconfig.json')
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        rootDir: join(root, 'src'),
        outDir: library,
        noEmit: false,
        declaration: false,
        sourceMap: false,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: [],
      files: [join(root, 'src/sources/file-sink.ts')],
    }),
  )
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }')
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json')
  execFileSync(process.execPath, [join(dirname(compiler), 'bin/tsc'), '-p', config])
})
afterAll(() => folder.remove())

interface Task {
  readonly path: string
  readonly append: boolean
  /** What is written: a line, so many times. */
  readonly line: string
  readonly times: number
  readonly chunkBytes: number
  readonly uid?: number
  readonly killAt?: number
  readonly killHow?: 'before' | 'during' | 'after'
}

interface Outcome {
  readonly signal: NodeJS.Signals | null
  readonly result?: { readonly calls?: readonly string[]; readonly code?: string; readonly cause?: string }
}

/** Runs the child; `shell` is run before it in the same process. */
function run(task: Task, { shell = '' }: { shell?: string } = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      'sh',
      ['-c', `${shell} exec "$0" "$@"`, process.execPath, script, library, JSON.stringify(task)],
      {
        cwd: folder.path,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let output = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text
    })
    child.on('error', reject)
    child.on('close', (_, signal) => resolve({ signal, ...(output === '' ? {} : { result: JSON.parse(output) }) }))
  })
}

const TIMES = 8000
const lineOf = (generation: number) => `row of generation ${generation}\n`
const textOf = (generation: number) => lineOf(generation).repeat(TIMES)
const beside = (path: string) => readdirSync(dirname(path)).sort()
async function place(): Promise<string> {
  const path = folder.fresh('place')
  await mkdir(path)
  await chmod(path, 0o777)
  return join(path, 'people.csv')
}

describe.each([
  ['written anew', false],
  ['appended to', true],
])('kill -9 while a file is %s', (_, append) => {
  it('leaves the old or the new file whole, 50 times, and no debris after the next write', async () => {
    const path = await place()
    const task = { path, append, times: TIMES, chunkBytes: 16384 }
    let old = textOf(0)
    writeFileSync(path, old, { mode: 0o640 })
    const { result } = await run({ ...task, line: lineOf(1) })
    old = append ? old + textOf(1) : textOf(1)
    expect(readFileSync(path, 'utf8')).toBe(old)
    const calls = result?.calls ?? []
    for (const name of ['open', 'write', 'sync', 'rename']) expect(calls).toContain(name)
    // The file is flushed before it gets its name, the folder after.
    expect(calls.indexOf('sync')).toBeGreaterThan(calls.lastIndexOf('write'))
    expect(calls.indexOf('sync')).toBeLessThan(calls.indexOf('rename'))
    expect(calls.lastIndexOf('sync')).toBeGreaterThan(calls.indexOf('rename'))

    // Every call from the last write on, which is where a publish could go wrong, in all three ways; the rest of the
    // fifty evenly over what comes before.
    const late = calls.map((__, i) => i + 1).slice(calls.lastIndexOf('write'))
    const moments = late.flatMap(killAt =>
      (['before', 'during', 'after'] as const).map(killHow => ({ killAt, killHow })),
    )
    const early = calls.length - late.length
    for (let i = 0; moments.length < 50; i++) {
      const killHow = (['during', 'before', 'after'] as const)[i % 3]!
      moments.push({ killAt: 1 + ((i * 7) % early), killHow })
    }
    expect(moments.length).toBe(50)

    const seen = { old: 0, new: 0, debris: 0 }
    for (const [i, moment] of moments.entries()) {
      const text = textOf(i + 2)
      const wanted = append ? old + text : text
      const { signal } = await run({ ...task, line: lineOf(i + 2), ...moment })
      expect([moment, signal]).toEqual([moment, 'SIGKILL'])
      const found = readFileSync(path, 'utf8')
      expect([moment, found === old || found === wanted]).toEqual([moment, true])
      expect(statSync(path).mode & 0o777).toBe(0o640)
      seen[found === old ? 'old' : 'new']++
      if (beside(path).length > 1) seen.debris++

      // The next write, here by this process, cleans up what is left.
      old = textOf(0)
      const sink = await openFileSink(path)
      await sink.write(Buffer.from(old))
      await sink.close()
      expect(readFileSync(path, 'utf8')).toBe(old)
      expect([moment, beside(path)]).toEqual([moment, ['people.csv']])
    }
    // Both ends were met, and there was something to clean.
    expect(Math.min(seen.old, seen.new, seen.debris)).toBeGreaterThan(0)
  })
})

describe('limits of the system', () => {
  it.each([false, true])('tells a file size limit, and leaves the old file (append: %s)', async append => {
    const path = await place()
    writeFileSync(path, 'old')
    const task = { path, append, line: lineOf(1), times: TIMES, chunkBytes: 10_000 }
    // 100 blocks of 512 bytes; without the trap the system would end the process in place of an error.
    const { signal, result } = await run(task, { shell: "trap '' XFSZ; ulimit -f 100;" })
    expect(signal).toBeNull()
    expect(result).toMatchObject({ code: 'SINK_FULL', cause: 'EFBIG' })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(beside(path)).toEqual(['people.csv'])
  })

  it('does not replace a file that may not be written, though its folder may', async () => {
    const path = await place()
    writeFileSync(path, 'old')
    chmodSync(path, 0o444)
    const nobody = process.getuid?.() === 0 ? { uid: 65534 } : {}
    const { result } = await run({ path, append: false, line: 'new', times: 1, chunkBytes: 10, ...nobody })
    expect(result).toMatchObject({ code: 'SINK_DENIED', cause: 'EACCES' })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(beside(path)).toEqual(['people.csv'])
  })
})

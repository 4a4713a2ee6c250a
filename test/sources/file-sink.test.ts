import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import {
  appendFile,
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rename,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { thisProcess } from '../../src/core/process-mark.ts'
import type { ByteSink } from '../../src/core/types.ts'
import { openFileSink } from '../../src/sources/file-sink.ts'
import { openFileSource } from '../../src/sources/file-source.ts'
import { tempName } from '../../src/sources/file-temp.ts'
import { codeOf, drain, noise, table, turns } from '../../src/testing/sample.ts'
import { sinkContract } from '../../src/testing/sink.ts'
import { asNobody, descriptors, TestFolder } from './place.ts'

const folder = new TestFolder()
afterAll(() => folder.remove())
const isRoot = process.geteuid?.() === 0

/** A folder of its own, so that what is left in it can be seen. */
async function place(name = 'people.csv'): Promise<string> {
  const path = folder.fresh('place')
  await mkdir(path)
  await chmod(path, 0o777)
  return join(path, name)
}
const beside = (path: string) => readdirSync(dirname(path)).sort()
const contentOf = (path: string) => {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    error => error,
  )
const write = async (path: string, text: string, options: { append?: boolean } = {}) => {
  const sink = await openFileSink(path, options)
  await sink.write(Buffer.from(text))
  await sink.close()
}

async function fileCase(old: Uint8Array | undefined, append: boolean) {
  const path = await place()
  if (old !== undefined) await writeFile(path, old)
  return {
    sink: await openFileSink(path, { append }),
    content: () => contentOf(path),
    openCount: () => folder.openCount(dirname(path)) + beside(path).filter(name => name !== 'people.csv').length,
  }
}
sinkContract('file', old => fileCase(old, false), { atomic: true, makeAppending: old => fileCase(old, true) })

sinkContract(
  'FIFO',
  async () => {
    const path = folder.fifo()
    const source = await openFileSource(path)
    const reading = drain(() => source.stream())
    return {
      sink: await openFileSink(path),
      content: async () => (await reading).bytes,
      cleanup: () => source[Symbol.asyncDispose](),
    }
  },
  { atomic: false },
)

describe('what a file keeps when it is replaced', () => {
  it.each([0o600, 0o640, 0o755, 0o666])('keeps the mode %o', async mode => {
    for (const append of [false, true]) {
      const path = await place()
      await writeFile(path, 'old ')
      await chmod(path, mode)
      await write(path, 'new', { append })
      expect(statSync(path).mode & 0o7777).toBe(mode)
      expect(readFileSync(path, 'utf8')).toBe(append ? 'old new' : 'new')
    }
  })

  it('shows nobody else what is written over a private file', async () => {
    const path = await place()
    await writeFile(path, 'old')
    await chmod(path, 0o600)
    const sink = await openFileSink(path)
    expect(statSync(sink.localPath!).mode & 0o077).toBe(0)
    await sink.abort()
  })

  it('gives a new file the mode that the umask leaves', async () => {
    const path = await place()
    const other = await place()
    await writeFile(other, '')
    await write(path, 'new')
    expect(statSync(path).mode).toBe(statSync(other).mode)
  })

  it('keeps owner and group where it may', async () => {
    const path = await place()
    await writeFile(path, 'old')
    const wanted = isRoot ? { uid: 1234, gid: 2345 } : { uid: process.getuid!(), gid: process.getgid!() }
    await chown(path, wanted.uid, wanted.gid)
    await chmod(path, 0o6755)
    await write(path, 'new')
    const { uid, gid, mode } = statSync(path)
    expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ ...wanted, mode: 0o6755 })
  })

  it('hands no rights of another owner or group on where it may not', async () => {
    const path = await place()
    await writeFile(path, 'old')
    if (isRoot) await chown(path, 1234, 2345)
    await chmod(path, 0o6676)
    await asNobody(() => write(path, 'new'))
    // Not the set-id bits, and for the group, which is another now, only what all others had.
    expect(statSync(path).mode & 0o7777).toBe(isRoot ? 0o666 : 0o6676)
    expect(readFileSync(path, 'utf8')).toBe('new')
  })

  it('keeps symbolic links, relative and of several steps, and replaces what they point to', async () => {
    const path = await place('real.csv')
    await writeFile(path, 'old')
    const folderLink = folder.fresh('folder')
    await symlink(dirname(path), folderLink)
    const second = join(dirname(path), 'second')
    const first = folder.fresh('first')
    await symlink('real.csv', second)
    await symlink(join(basename(folderLink), 'second'), first)
    for (const [target, text] of [
      [first, 'by two links'],
      [join(folderLink, 'real.csv'), 'by a folder'],
    ] as const) {
      await write(target, text)
      expect(readFileSync(path, 'utf8')).toBe(text)
    }
    expect((await lstat(first)).isSymbolicLink() && (await lstat(second)).isSymbolicLink()).toBe(true)
    expect(await readlink(second)).toBe('real.csv')
    expect((await lstat(path)).isFile()).toBe(true)
    expect(beside(path)).toEqual(['real.csv', 'second'])
  })

  it('makes the file that a link points to', async () => {
    const path = await place('link')
    await symlink('made.csv', path)
    await write(path, 'new')
    expect(beside(path)).toEqual(['link', 'made.csv'])
    expect((await lstat(path)).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(dirname(path), 'made.csv'), 'utf8')).toBe('new')
  })

  it('leaves other hard links as they were', async () => {
    const path = await place()
    await writeFile(path, 'old')
    await link(path, `${path}.2`)
    await write(path, 'new')
    expect([readFileSync(path, 'utf8'), readFileSync(`${path}.2`, 'utf8')]).toEqual(['new', 'old'])
  })

  it.each([249, 250, 255])('writes to a name of %i bytes', async length => {
    for (const letter of ['x', 'é', '漢']) {
      const path = await place(letter.repeat(Math.floor(length / Buffer.byteLength(letter))))
      await write(path, 'new')
      await write(path, 'newer')
      expect(beside(path)).toEqual([basename(path)])
      expect(readFileSync(path, 'utf8')).toBe('newer')
    }
  })
})

describe('a file that cannot be written', () => {
  it('tells a missing folder', async () => {
    const path = join(folder.path, 'none', 'x.csv')
    for (const append of [false, true]) {
      const error = await failure(openFileSink(path, { append }))
      expect(error).toMatchObject({ code: 'SINK_NOT_FOUND', label: path, hint: 'create the folder first' })
    }
  })

  it('tells a folder', async () => {
    expect(await failure(openFileSink(folder.path))).toMatchObject({ code: 'SINK_FAILED', found: 'a folder' })
    expect(await failure(openFileSink(join(folder.path, 'none/')))).toMatchObject({ code: 'SINK_FAILED' })
    expect(await failure(openFileSink(`${folder.path}/none/`))).toMatchObject({ found: 'a folder' })
  })

  it('tells links that go round', async () => {
    const path = await place('a')
    await symlink('b', path)
    await symlink('a', join(dirname(path), 'b'))
    expect(await failure(openFileSink(path))).toMatchObject({ code: 'SINK_FAILED', cause: { code: 'ELOOP' } })
  })

  it('tells a folder that may not be written', async () => {
    const path = await place()
    await writeFile(path, 'old')
    await chmod(dirname(path), 0o555)
    const error = await asNobody(() => failure(openFileSink(path)))
    await chmod(dirname(path), 0o777)
    expect(error).toMatchObject({ code: 'SINK_DENIED', cause: { code: 'EACCES' } })
    expect(readFileSync(path, 'utf8')).toBe('old')
  })

  it('tells a temp file that was removed under it', async () => {
    const path = await place()
    await writeFile(path, 'old')
    const sink = await openFileSink(path)
    await sink.write(noise(100))
    await unlink(sink.localPath!)
    const error = await failure(sink.close())
    expect(error).toMatchObject({ code: 'SINK_FAILED', found: 'none' })
    expect(await failure(sink.close())).toBe(error)
    expect(await failure(sink.write(noise(1)))).toBe(error)
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(folder.openCount(dirname(path))).toBe(0)
  })

  it('tells a target that became a folder', async () => {
    const path = await place()
    const sink = await openFileSink(path)
    await mkdir(path)
    expect(codeOf(await failure(sink.close()))).toBe('SINK_FAILED')
    expect(beside(path)).toEqual(['people.csv'])
  })
})

describe('aborts', () => {
  it('opens nothing when it was aborted before, and keeps nothing of what arrives late', async () => {
    const path = await place()
    const reason = new Error('enough')
    expect(await failure(openFileSink(path, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    for (let i = 0; i < 50; i++) {
      const abort = new AbortController()
      const failed = failure(openFileSink(path, { signal: abort.signal }))
      await turns(i % 10)
      abort.abort(reason)
      expect([undefined, reason]).toContain(await failed)
    }
    // The write that follows is behind all of them in the thread pool.
    await expect.poll(() => beside(path)).toEqual([])
    expect(folder.openCount(dirname(path))).toBe(0)
  })

  it('rejects with the reason itself, and takes the temp file away', async () => {
    const path = await place()
    await writeFile(path, 'old')
    const abort = new AbortController()
    const reason = new Error('enough')
    const sink = await openFileSink(path, { signal: abort.signal })
    await sink.write(noise(1000))
    const writing = failure(sink.write(noise(4 * 1024 * 1024)))
    abort.abort(reason)
    expect(await writing).toBe(reason)
    expect(await failure(sink.write(noise(1)))).toBe(reason)
    expect(await failure(sink.close())).toBe(reason)
    await sink[Symbol.asyncDispose]()
    expect(beside(path)).toEqual(['people.csv'])
    expect(readFileSync(path, 'utf8')).toBe('old')
  })

  it('publishes whole or not at all when it is aborted while it closes', async () => {
    const outcomes = new Set<string>()
    const bytes = table(50_000)
    for (let i = 0; i < 60; i++) {
      const path = await place()
      await writeFile(path, 'old')
      const sink = await openFileSink(path)
      await sink.write(bytes)
      let settled = false
      const closing = failure(sink.close()).finally(() => {
        settled = true
      })
      for (let turn = 0; turn < i && !settled; turn++) await turns(1)
      await sink.abort(new Error('enough'))
      const published = (await closing) === undefined
      outcomes.add(published ? 'published' : 'given up')
      expect(readFileSync(path).equals(published ? bytes : Buffer.from('old'))).toBe(true)
      expect(beside(path)).toEqual(['people.csv'])
    }
    expect(outcomes.has('given up')).toBe(true)
  })

  it('leaves no descriptor behind after 1,000 writes, half of them given up', async () => {
    const path = await place()
    const before = descriptors()
    for (let i = 0; i < 1000; i++) {
      const sink = await openFileSink(path, { append: i % 3 === 0 })
      await sink.write(Buffer.from(`${i}\n`))
      if (i % 20 === 0) await sink.close()
      else await (i % 2 === 0 ? sink.abort() : sink[Symbol.asyncDispose]())
    }
    expect(descriptors()).toBe(before)
    expect(beside(path)).toEqual(['people.csv'])
  })
})

describe('two writers of one target', () => {
  it('leaves what was closed last, whole', async () => {
    const path = await place()
    const [first, second] = await Promise.all([openFileSink(path), openFileSink(path)])
    for (let i = 0; i < 20; i++) {
      await Promise.all([first.write(Buffer.from('1'.repeat(5000))), second.write(Buffer.from('2'.repeat(4000)))])
    }
    await second.close()
    expect(readFileSync(path, 'utf8')).toBe('2'.repeat(80_000))
    await first.close()
    expect(readFileSync(path, 'utf8')).toBe('1'.repeat(100_000))
    expect(beside(path)).toEqual(['people.csv'])
  })

  it('never takes the temp file of the other away', async () => {
    const path = await place()
    const first = await openFileSink(path)
    await first.write(Buffer.from('first'))
    // However old it looks: its process lives.
    await utimes(first.localPath!, 1, 1)
    for (let i = 0; i < 5; i++) await write(path, 'another')
    expect(beside(path)).toEqual([basename(first.localPath!), 'people.csv'])
    await first.close()
    expect(readFileSync(path, 'utf8')).toBe('first')
  })
})

describe('what killed writers left', () => {
  const me = thisProcess()
  /** A process number that nobody has: above what Linux gives out. */
  const gone = 4_194_304 + 1
  const week = 7 * 24 * 3600

  it.each<[string, Parameters<typeof tempName>[1], number, boolean]>([
    ['of a process that is gone', { ...me, pid: gone }, 0, true],
    ['of a process whose number is taken by another', { ...me, start: '1' }, 0, true],
    ['of a process that lives', me, 2 * week, false],
    ['of another container, not a week old', { ...me, pid: gone, place: 'abcdefabcdef' }, week - 100, false],
    ['of another container, a week old', { ...me, pid: gone, place: 'abcdefabcdef' }, week + 100, true],
    ['of a place that could not be told', { pid: gone, start: '0', place: '0' }, 0, false],
  ])('removes a file or not: %s', async (_, writer, ageSeconds, removed) => {
    for (const append of [false, true]) {
      const path = await place()
      const left = join(dirname(path), tempName(path, writer))
      await writeFile(left, 'debris')
      const then = Date.now() / 1000 - ageSeconds
      await utimes(left, then, then)
      await write(path, 'new', { append })
      expect(contentOf(left)?.toString()).toBe(removed ? undefined : 'debris')
      expect(readFileSync(path, 'utf8')).toBe('new')
    }
  })

  it('takes a process that has ended, and only waits for its parent to take note, for gone', async () => {
    const path = await place()
    // `sleep` takes the place of the shell and never asks after the shell's child, which ends when its input does.
    const script = 'exec 3<&0; cat <&3 >/dev/null & echo $!; exec sleep 600'
    const parent = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
    try {
      const pid = Number(await new Promise(resolve => parent.stdout.once('data', resolve)))
      const fields = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')
      await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n')
      parent.stdin.end()
      await expect.poll(() => fields()[2]).toBe('Z')
      const left = join(dirname(path), tempName(path, { ...me, pid, start: fields()[21]! }))
      await writeFile(left, 'debris')
      await write(path, 'new')
      expect(beside(path)).toEqual(['people.csv'])
    } finally {
      parent.kill('SIGKILL')
    }
  })

  it('does not touch files of other targets, nor files that only look alike', async () => {
    const path = await place('a.csv')
    const dead = { ...me, pid: gone }
    const others = [
      tempName('a.csv.gz', dead),
      tempName('b.csv', dead),
      tempName('a', dead),
      '.a.csv.123-4.open-iterable.tmp',
      `.a.csv.${gone}-1-${me.place}-0123456789ab.tmp`,
      '.a.csv.notes.open-iterable.tmp',
      'a.csv.open-iterable.tmp',
    ].sort()
    for (const name of others) await writeFile(join(dirname(path), name), 'mine')
    await write(path, 'new')
    expect(beside(path)).toEqual([...others, 'a.csv'].sort())
  })

  it('finds them also when the writer was given up, and beside a name that is cut', async () => {
    const path = await place('x'.repeat(255))
    await writeFile(join(dirname(path), tempName(path, { ...me, pid: gone })), 'debris')
    await (await openFileSink(path)).abort()
    expect(beside(path)).toEqual([])
  })
})

describe('append', () => {
  it('makes the file where there is none', async () => {
    const path = await place()
    await write(path, 'first', { append: true })
    expect(readFileSync(path, 'utf8')).toBe('first')
  })

  it('copies what is larger than the buffer of the copy', async () => {
    const path = await place()
    const old = noise(3 * 1024 * 1024 + 77)
    await writeFile(path, old)
    await write(path, 'end', { append: true })
    expect((await readFile(path)).equals(Buffer.concat([old, Buffer.from('end')]))).toBe(true)
  })

  it.each<[string, (path: string) => Promise<void>]>([
    ['was appended to', path => appendFile(path, 'theirs')],
    ['was replaced by one of the same size', path => write(path, 'OLD')],
    ['was removed', path => unlink(path)],
  ])('publishes nothing when the file %s by another meanwhile', async (_, change) => {
    const path = await place()
    await writeFile(path, 'old')
    const sink = await openFileSink(path, { append: true })
    await sink.write(Buffer.from('mine'))
    await change(path)
    const theirs = contentOf(path)
    const error = await failure(sink.close())
    expect(codeOf(error)).toBe('SINK_FAILED')
    expect(String(error)).toContain('nothing was published: append again')
    expect(contentOf(path)).toEqual(theirs)
    expect(folder.openCount(dirname(path))).toBe(0)
    expect(beside(path).filter(name => name.endsWith('.tmp'))).toEqual([])
  })

  it('lets only one of two that append at once publish, and tells the other', async () => {
    const path = await place()
    await writeFile(path, 'old ')
    const sinks = await Promise.all([1, 2, 3].map(() => openFileSink(path, { append: true })))
    await Promise.all(sinks.map((sink, i) => sink.write(Buffer.from(`row ${i}`))))
    const failed = (await Promise.all(sinks.map(sink => failure(sink.close())))).map(codeOf)
    expect(failed.filter(code => code === undefined).length).toBe(1)
    expect(failed.filter(code => code === 'SINK_FAILED').length).toBe(2)
    expect(readFileSync(path, 'utf8')).toBe(`old row ${failed.indexOf(undefined)}`)
  })
})

describe('a native engine that writes the file itself', () => {
  const engines: [string, (temp: string) => Promise<void>][] = [
    ['into the temp file', temp => writeFile(temp, 'by the engine')],
    [
      'by a rename over the temp file',
      async temp => {
        await writeFile(`${temp}.x`, 'by the engine')
        await rename(`${temp}.x`, temp)
      },
    ],
  ]
  it.each(engines)('is published by close: %s', async (_, run) => {
    const path = await place()
    await writeFile(path, 'old')
    await chmod(path, 0o640)
    const sink = await openFileSink(path)
    await run(sink.localPath!)
    expect(readFileSync(path, 'utf8')).toBe('old')
    await sink.close()
    expect(readFileSync(path, 'utf8')).toBe('by the engine')
    expect(statSync(path).mode & 0o7777).toBe(0o640)
    expect(beside(path)).toEqual(['people.csv'])
    expect(folder.openCount(dirname(path))).toBe(0)
  })
})

describe('what is written in place', () => {
  it('writes to /dev/null, and leaves it what it is', async () => {
    await write('/dev/null', 'gone')
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
    const sink = await openFileSink('/dev/null', { append: true })
    expect(sink.localPath).toBeUndefined()
    await sink.abort()
  })

  it('tells a full device', async () => {
    const sink = await openFileSink('/dev/full')
    const error = await failure(sink.write(noise(10)))
    expect(error).toMatchObject({ code: 'SINK_FULL', label: '/dev/full', cause: { code: 'ENOSPC' } })
    expect(await failure(sink.close())).toBe(error)
    await sink[Symbol.asyncDispose]()
    expect(folder.openCount('/dev/full')).toBe(0)
  })

  it('tells a FIFO whose reader has gone', async () => {
    const path = folder.fifo()
    const source = await openFileSource(path)
    const sink = await openFileSink(path)
    await source[Symbol.asyncDispose]()
    const error = await failure(sink.write(noise(10)))
    expect(error).toMatchObject({ code: 'SINK_CLOSED', cause: { code: 'EPIPE' } })
    await sink[Symbol.asyncDispose]()
    expect(folder.openCount(path)).toBe(0)
  })

  it('waits for the reader of a FIFO, until it is aborted', async () => {
    const path = folder.fifo()
    const opening = openFileSink(path)
    await turns()
    const source = await openFileSource(path)
    const sink = await opening
    const reading = drain(() => source.stream())
    await sink.write(Buffer.from('hello'))
    await sink.close()
    expect((await reading).bytes.toString()).toBe('hello')
    await source[Symbol.asyncDispose]()

    const abort = new AbortController()
    const reason = new Error('enough')
    const waiting = failure(openFileSink(path, { signal: abort.signal }))
    await turns()
    abort.abort(reason)
    expect(await waiting).toBe(reason)
    await expect.poll(() => folder.openCount(path)).toBe(0)
  })

  it.each<[string, (sink: ByteSink, abort: AbortController) => unknown]>([
    ['abort', sink => sink.abort()],
    ['signal', (_, abort) => abort.abort(new Error('enough'))],
    ['abort while it closes', sink => [failure(sink.close()), sink.abort()]],
  ])('gives up a write that nobody reads: by %s', async (_, end) => {
    const path = folder.fifo()
    const source = await openFileSource(path)
    const abort = new AbortController()
    const sink = await openFileSink(path, { signal: abort.signal })
    const writing = failure(sink.write(noise(1_000_000)))
    await turns()
    end(sink, abort)
    expect(await writing).toBeInstanceOf(Error)
    await sink[Symbol.asyncDispose]()
    await source[Symbol.asyncDispose]()
    expect(folder.openCount(path)).toBe(0)
  })

  it('goes on in an open descriptor, and does not replace the file behind it', async () => {
    const path = await place()
    await writeFile(path, 'before ')
    const file = await open(path, 'a')
    const { ino } = statSync(path)
    await write(`/dev/fd/${file.fd}`, 'by its number ')
    await write(`/proc/self/fd/${file.fd}`, 'and again')
    await file.close()
    expect(readFileSync(path, 'utf8')).toBe('before by its number and again')
    expect(statSync(path).ino).toBe(ino)
  })
})

import { constants } from 'node:fs'
import { appendFile, chmod, type FileHandle, mkdir, open, rename, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { openFileSink } from '../../src/sources/file-sink.ts'
import { openFileSource } from '../../src/sources/file-source.ts'
import { codeOf, drain, noise, turns } from '../../src/testing/sample.ts'
import { sourceContract } from '../../src/testing/source.ts'
import { asNobody, descriptors, TestFolder } from './place.ts'

const folder = new TestFolder()
afterAll(() => folder.remove())

/** A FIFO that nobody writes to. */
async function blockedFifo() {
  const path = folder.fifo()
  return { source: await openFileSource(path), openCount: () => folder.openCount(path) }
}

for (const chunkBytes of [undefined, 1000]) {
  sourceContract(
    `file, ${chunkBytes ?? 'default'} bytes a chunk`,
    async bytes => {
      const path = folder.fresh()
      await writeFile(path, bytes)
      const source = await openFileSource(path, { chunkBytes })
      return { source, openCount: () => folder.openCount(path) }
    },
    // An empty file does not know its size: the files of /proc also say 0.
    { replayable: true, random: true, size: true, localPath: true },
  )
}

sourceContract(
  'FIFO',
  async bytes => {
    const path = folder.fifo()
    const source = await openFileSource(path)
    const abort = new AbortController()
    const writing = (async () => {
      const sink = await openFileSink(path, { signal: abort.signal })
      for (let at = 0; at < bytes.length; at += 100_000) await sink.write(bytes.subarray(at, at + 100_000))
      await sink.close()
    })().catch(() => {}) // The reader may go away.
    return {
      source,
      cleanup: async () => {
        abort.abort()
        await writing
      },
    }
  },
  { makeBlocked: blockedFifo },
)

const failure = async (opening: Promise<unknown>): Promise<unknown> =>
  opening.then(
    () => undefined,
    error => error,
  )

describe('a file that cannot be opened', () => {
  it('names a missing file, and the one that was meant', async () => {
    const path = folder.fresh('people.csv')
    await writeFile(path, '')
    const error = await failure(openFileSource(`${path.slice(0, -3)}cvs`))
    expect(error).toMatchObject({ code: 'SOURCE_NOT_FOUND', cause: { code: 'ENOENT' } })
    expect(String(error)).toContain(`did you mean ${path}?`)
  })

  it('says nothing of other names where none is near', async () => {
    const error = await failure(openFileSource(join(folder.path, 'xxxxxxxxxxxxxxxxxxxxxxxxxx'), { label: 'the input' }))
    expect(error).toMatchObject({ code: 'SOURCE_NOT_FOUND', label: 'the input', hint: undefined })
  })

  it('tells a missing folder and a link to nothing apart', async () => {
    const missing = await failure(openFileSource(join(folder.path, 'none', 'people.csv')))
    expect(missing).toMatchObject({ code: 'SOURCE_NOT_FOUND', hint: expect.stringContaining('does not exist either') })
    const link = folder.fresh('link')
    await symlink('nowhere', link)
    const dangling = await failure(openFileSource(link))
    expect(dangling).toMatchObject({ code: 'SOURCE_NOT_FOUND', hint: 'it is a symbolic link that points to nothing' })
  })

  it('takes a file for a folder neither way', async () => {
    expect(await failure(openFileSource(folder.path))).toMatchObject({ code: 'SOURCE_FAILED', found: 'a folder' })
    const path = folder.fresh()
    await writeFile(path, '')
    expect(codeOf(await failure(openFileSource(join(path, 'x'))))).toBe('SOURCE_NOT_FOUND')
  })

  it('tells a file that may not be read', async () => {
    const path = folder.fresh()
    await writeFile(path, 'secret')
    await chmod(path, process.geteuid?.() === 0 ? 0o600 : 0)
    const error = await asNobody(() => failure(openFileSource(path)))
    expect(error).toMatchObject({ code: 'SOURCE_DENIED', cause: { code: 'EACCES' }, label: path })
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses %d bytes a chunk', async chunkBytes => {
    expect(codeOf(await failure(openFileSource(folder.path, { chunkBytes })))).toBe('OPTION_INVALID')
  })

  it('opens nothing when it was aborted before', async () => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    expect(await failure(openFileSource(join(folder.path, 'none'), { signal }))).toBe(reason)
  })

  it('closes what arrives after an abort', async () => {
    const path = folder.fresh()
    await writeFile(path, 'x')
    for (let i = 0; i < 50; i++) {
      const abort = new AbortController()
      const reason = new Error('enough')
      const failed = failure(openFileSource(path, { signal: abort.signal }))
      abort.abort(reason)
      expect(await failed).toBe(reason)
    }
    await vi.waitFor(() => expect(folder.openCount(path)).toBe(0))
  })
})

describe('a file that changes while it is read', () => {
  it('is read to the end that it then has', async () => {
    const path = folder.fresh()
    await writeFile(path, noise(10_000))
    const source = await openFileSource(path, { chunkBytes: 1000 })
    let bytes = 0
    for await (const chunk of source.stream()) {
      if (bytes === 0) await appendFile(path, noise(5_000))
      bytes += chunk.length
    }
    expect(bytes).toBe(15_000)
    bytes = 0
    for await (const chunk of source.stream()) {
      if (bytes === 0) await truncate(path, 3_500)
      bytes += chunk.length
    }
    expect(bytes).toBe(3_500)
    await source[Symbol.asyncDispose]()
  })

  it('is read on as it was when another takes its name', async () => {
    const path = folder.fresh()
    const other = folder.fresh()
    await writeFile(path, noise(300_000, 1))
    await writeFile(other, noise(300_000, 2))
    const source = await openFileSource(path)
    await rename(other, path)
    for (let pass = 0; pass < 2; pass++) {
      expect((await drain(() => source.stream())).bytes.equals(noise(300_000, 1))).toBe(true)
    }
    await source[Symbol.asyncDispose]()
  })
})

describe('files of other kinds', () => {
  it('reads beyond 2^31 bytes', async () => {
    const path = folder.fresh()
    const size = 2 ** 31 + 4096
    const file = await open(path, 'w')
    await file.truncate(size)
    await file.write(Buffer.from('the end'), 0, 7, size - 7)
    await file.close()
    const source = await openFileSource(path)
    expect(source.size).toBe(size)
    const [part] = await source.random!.readRanges([{ start: size - 10, end: size }])
    expect(Buffer.from(part!).toString('latin1')).toBe('\0\0\0the end')
    await source[Symbol.asyncDispose]()
  })

  it('reads what says that it has no bytes', async () => {
    const source = await openFileSource('/proc/self/status')
    expect(source.size).toBeUndefined()
    expect((await drain(() => source.stream())).bytes.toString()).toContain(`Pid:\t${process.pid}\n`)
    await source[Symbol.asyncDispose]()
  })

  it('reads a device once, in order', async () => {
    const empty = await openFileSource('/dev/null')
    expect(empty.replayable).toBe(false)
    expect((await drain(() => empty.stream())).bytes.length).toBe(0)
    await empty[Symbol.asyncDispose]()
    const zeros = await openFileSource('/dev/zero')
    let bytes = 0
    for await (const chunk of zeros.stream()) {
      bytes += chunk.length
      if (bytes > 1_000_000) break
    }
    expect(bytes).toBeGreaterThan(1_000_000)
    expect(() => zeros.stream()).toThrow(expect.objectContaining({ code: 'NOT_REPLAYABLE' }))
    await zeros[Symbol.asyncDispose]()
  })

  it('tells a read that fails, with its byte and cause, and again when it is asked again', async () => {
    const source = await openFileSource('/proc/self/mem') // nothing is mapped at its beginning
    const chunks = source.stream()[Symbol.asyncIterator]()
    const error = await failure(chunks.next())
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', cause: { code: 'EIO' } })
    expect(String(error)).toContain('reading failed at byte 0')
    expect(await failure(chunks.next())).toBe(error)
    await source[Symbol.asyncDispose]()
  })

  it('reads from a FIFO whose writer comes late and goes', async () => {
    const path = folder.fifo()
    const source = await openFileSource(path)
    const reading = drain(() => source.stream())
    const file = await open(path, constants.O_WRONLY)
    await file.write('first ')
    await file.write('second')
    await file.close()
    expect((await reading).bytes.toString()).toBe('first second')
    await source[Symbol.asyncDispose]()
  })
})

describe('descriptors', () => {
  it('leaves none behind after 1,000 opens, 1,000 early breaks and 1,000 aborts', async () => {
    const path = folder.fresh()
    await writeFile(path, noise(600_000))
    const before = descriptors()
    for (let i = 0; i < 1000; i++) await (await openFileSource(path))[Symbol.asyncDispose]()
    expect(descriptors()).toBe(before)
    for (let i = 0; i < 1000; i++) {
      const source = await openFileSource(path, { chunkBytes: 65536 })
      for await (const chunk of source.stream()) {
        expect(chunk.length).toBe(65536)
        break
      }
      await source[Symbol.asyncDispose]()
    }
    expect(descriptors()).toBe(before)
    for (let i = 0; i < 1000; i++) {
      const source = await openFileSource(path, { chunkBytes: 65536 })
      const abort = new AbortController()
      const next = source.stream({ signal: abort.signal })[Symbol.asyncIterator]().next()
      abort.abort('enough')
      expect(await failure(next)).toBe('enough')
      await source[Symbol.asyncDispose]()
    }
    expect(descriptors()).toBe(before)
  })

  it('keeps one for a source, whatever is read at once', async () => {
    const path = folder.fresh()
    await writeFile(path, noise(600_000))
    const source = await openFileSource(path, { chunkBytes: 10_000 })
    const reads = [
      drain(() => source.stream()),
      drain(() => source.stream()),
      source.random!.readRanges([{ start: 5, end: 500_000 }]),
    ] as const
    expect(folder.openCount(path)).toBe(1)
    expect((await reads[0]).bytes.equals((await reads[1]).bytes)).toBe(true)
    expect(Buffer.compare((await reads[2])[0]!, noise(600_000).subarray(5, 500_000))).toBe(0)
    await source[Symbol.asyncDispose]()
    expect(folder.openCount(path)).toBe(0)
  })

  it('closes the file under no read: one that is under way is waited for', async () => {
    const path = folder.fresh()
    await writeFile(path, noise(600_000))
    const probe = await open(path)
    const prototype: Pick<FileHandle, 'read'> = Object.getPrototypeOf(probe)
    await probe.close()
    let underWay = 0
    const read = prototype.read
    const spy = vi.spyOn(prototype, 'read').mockImplementation(async function (this: FileHandle, ...args: unknown[]) {
      underWay++
      try {
        return await Reflect.apply(read, this, args)
      } finally {
        // Later than the system: whoever does not wait is found out.
        await turns(5)
        underWay--
      }
    })
    try {
      for (const way of ['return', 'dispose', 'abort', 'ranges']) {
        const source = await openFileSource(path, { chunkBytes: 100_000 })
        const abort = new AbortController()
        const chunks = source.stream({ signal: abort.signal })[Symbol.asyncIterator]()
        // After the first chunk the second read is under way.
        if (way !== 'ranges') await chunks.next()
        const ranges = way === 'ranges' ? failure(source.random!.readRanges([{ start: 0, end: 9 }])) : undefined
        expect([way, underWay]).toEqual([way, 1])
        if (way === 'return') await chunks.return!()
        if (way === 'abort') abort.abort(new Error('enough'))
        await source[Symbol.asyncDispose]()
        expect([way, underWay]).toEqual([way, 0])
        await ranges
      }
    } finally {
      spy.mockRestore()
    }
  })

  it('takes no calls after it was disposed', async () => {
    const path = folder.fresh()
    await writeFile(path, 'x')
    const source = await openFileSource(path)
    await source[Symbol.asyncDispose]()
    expect(() => source.stream()).toThrow(expect.objectContaining({ code: 'HANDLE_CLOSED' }))
    expect(codeOf(await failure(source.random!.size()))).toBe('HANDLE_CLOSED')
  })

  it('makes the folder of the tests usable to others', async () => {
    // The tests of rights rely on it: without, "denied" would be the folder's doing.
    const path = join(folder.path, 'readable')
    await mkdir(path)
    await writeFile(join(path, 'file'), 'x')
    await asNobody(async () => (await openFileSource(join(path, 'file')))[Symbol.asyncDispose]())
  })
})

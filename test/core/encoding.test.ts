/** The views themselves: names, byte order marks, facets, passing through, life cycle. */
import { describe, expect, it } from 'vitest'
import { decodeText, encodeText, prepareEncoding } from '../../src/core/encoding.ts'
import { parseEncoding } from '../../src/core/encoding-names.ts'
import { TEXT_READ_OPTIONS, TEXT_WRITE_OPTIONS } from '../../src/core/encoding-options.ts'
import { loadIconvLite } from '../../src/core/encoding-peer.ts'
import { checkOptions } from '../../src/core/options.ts'
import type { Abortable, ByteSink, ByteSource } from '../../src/core/types.ts'
import { codeOf, drain, noise, turns } from '../../src/testing/sample.ts'
import { sinkContract } from '../../src/testing/sink.ts'
import { sourceContract } from '../../src/testing/source.ts'
import { CHUNK_SIZES, MemorySink, NAMES, read, sourceOf, sourceOfChunks, TEXTS, write } from './encoding-cases.ts'

const raise = { onInvalid: 'raise' } as const

describe('names of encodings', () => {
  it.each([
    ['UTF-8', 'utf-8', 'utf-8'],
    ['utf8', 'utf-8', 'utf-8'],
    [' UTF-16 ', 'utf-16le', 'utf-16'],
    ['utf-16BE', 'utf-16be', 'utf-16'],
    ['ucs-2', 'utf-16le', 'utf-16'],
    ['UTF-32', 'utf-32le', 'utf-32'],
    ['Latin1', 'windows-1252', 'single-byte'],
    ['latin-1', 'windows-1252', 'single-byte'],
    ['cp1252', 'windows-1252', 'single-byte'],
    ['ISO-8859-15', 'iso-8859-15', 'single-byte'],
    ['Shift_JIS', 'shift_jis', 'multi-byte'],
    ['cp932', 'shift_jis', 'multi-byte'],
    ['cp949', 'euc-kr', 'multi-byte'],
    ['GB2312', 'gbk', 'multi-byte'],
    ['iso-2022-jp', 'iso-2022-jp', 'multi-byte'],
  ])('takes %j for %s', (label, name, kind) => {
    expect(parseEncoding(label)).toMatchObject({ name, kind })
  })

  it.each([
    ['windows-1525', 'windows-1250'],
    ['utf-61le', 'utf-16le'],
    ['shift-jsi', 'shift_jis'],
    ['iso8859-99', 'iso-8859-9'],
  ])('refuses %j, and names one that is near', (label, near) => {
    for (const use of [
      () => decodeText(sourceOf(noise(1)), { encoding: label, ...raise }),
      () => encodeText(new MemorySink(), { encoding: label, onUnmappable: 'raise' }),
    ]) {
      expect(use).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
      expect(use).toThrow(/did you mean "/)
    }
    expect(hintOf(label)).toBe(near)
  })

  it.each(['nonsense encoding', 'replacement', 'x-user-defined', ''])('refuses %j', label => {
    expect(() => parseEncoding(label)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  it.each(['utf-32', 'iso-2022-jp', 'auto'])('refuses to write %s', async label => {
    expect(() => encodeText(new MemorySink(), { encoding: label, onUnmappable: 'raise' })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
    await expect(prepareEncoding(label, 'write')).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await prepareEncoding(label, 'read')
  })

  it('prepares every encoding, both ways', async () => {
    for (const name of [...NAMES, 'utf-8', 'ascii']) {
      await prepareEncoding(name, 'read')
      await prepareEncoding(name, 'write')
    }
  })

  it('has tables for its options', () => {
    expect(() =>
      checkOptions({ encoding: 'utf-16', encodingErrors: 'replace' }, [TEXT_READ_OPTIONS], 'x'),
    ).not.toThrow()
    expect(() => checkOptions({ encoding: 'koi8-r', bom: false }, [TEXT_WRITE_OPTIONS], 'x')).not.toThrow()
    expect(() => checkOptions({ encoding: 7 }, [TEXT_READ_OPTIONS], 'x')).toThrow('OPTION_INVALID')
    expect(() => checkOptions({ encodingErrors: 'skip' }, [TEXT_WRITE_OPTIONS], 'x')).toThrow('OPTION_INVALID')
  })

  function hintOf(label: string): string | undefined {
    try {
      parseEncoding(label)
    } catch (error) {
      return /did you mean "(.*?)"/.exec(String(error))?.[1]
    }
    return undefined
  }
})

describe('iconv-lite', () => {
  it('is asked for by the line that installs it, where it is missing', async () => {
    const missing = loadIconvLite('big5', 'read', () => import('no-such-package-as-this' as string))
    await expect(missing).rejects.toMatchObject({ code: 'PEER_MISSING', hint: 'install it: npm install iconv-lite' })
    await expect(missing).rejects.toThrow('big5 is read by the package iconv-lite, which is not installed')
  })

  it('is not said to be missing when it fails in another way', async () => {
    const failure = new Error('broken')
    await expect(loadIconvLite('big5', 'read', () => Promise.reject(failure))).rejects.toBe(failure)
  })
})

const MARKS: Readonly<Record<string, readonly number[]>> = {
  'utf-8': [0xef, 0xbb, 0xbf],
  'utf-16le': [0xff, 0xfe],
  'utf-16be': [0xfe, 0xff],
  'utf-32le': [0xff, 0xfe, 0, 0],
  'utf-32be': [0, 0, 0xfe, 0xff],
}
const TEXT = 'a,é\n漢,😀\n'

/** The text in a Unicode encoding, by arithmetic. */
function unicode(text: string, name: string): Buffer {
  if (name === 'utf-8') return Buffer.from(text)
  const units = name.startsWith('utf-16')
    ? Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
    : Array.from(text, character => character.codePointAt(0)!)
  const size = name.startsWith('utf-16') ? 2 : 4
  const little = units.flatMap(unit => Array.from({ length: size }, (_, i) => (unit >>> (8 * i)) & 0xff))
  const bytes = Buffer.from(little)
  if (name.endsWith('le')) return bytes
  return size === 2 ? bytes.swap16() : bytes.swap32()
}

describe.each(CHUNK_SIZES)('byte order marks, in chunks of %i bytes', chunkBytes => {
  const marked = (name: string, text = TEXT) => Buffer.concat([Buffer.from(MARKS[name]!), unicode(text, name)])
  const all = Object.keys(MARKS)

  it.each(all)('says that it is %s', async name => {
    const { bytes, error } = await read(marked(name), 'auto', { chunkBytes })
    expect(error).toBeUndefined()
    // The mark of UTF-8 is the format's.
    expect(bytes.toString()).toBe(name === 'utf-8' ? `\ufeff${TEXT}` : TEXT)
  })

  it.each(all)('alone are an empty %s', async name => {
    const { bytes, error } = await read(marked(name, ''), 'auto', { chunkBytes })
    expect(error).toBeUndefined()
    expect(bytes.toString()).toBe(name === 'utf-8' ? '\ufeff' : '')
  })

  it.each(all)('may be missing where %s is named', async name => {
    const { bytes, error } = await read(unicode(TEXT, name), name, { chunkBytes })
    expect(error).toBeUndefined()
    expect(bytes.toString()).toBe(TEXT)
  })

  it('agree with the encoding that is named, or are an error', async () => {
    for (const name of [...all, 'utf-16', 'utf-32', 'windows-1252', 'shift_jis', 'iso-2022-jp']) {
      for (const mark of all) {
        const agrees = name === mark || (/^utf-\d+$/.test(name) && mark.startsWith(`${name}`))
        // What begins as UTF-16LE is that, if one says so: then text that begins with U+0000.
        const asUtf16 = mark === 'utf-32le' && (name === 'utf-16le' || name === 'utf-16')
        const { error, bytes } = await read(marked(mark), name, { chunkBytes })
        if (agrees)
          expect([name, mark, bytes.toString()]).toEqual([name, mark, (mark === 'utf-8' ? '\ufeff' : '') + TEXT])
        else if (!asUtf16) {
          expect([name, mark, codeOf(error)]).toEqual([name, mark, 'ENCODING_MISMATCH'])
          expect(bytes.length).toBe(0)
          expect(String(error)).toContain(
            `the byte order mark of ${mark.startsWith('utf-32le') && name.startsWith('utf-16') ? 'utf-16le' : mark}`,
          )
        }
      }
    }
  })

  it('are left in the middle of the text', async () => {
    const { bytes } = await read(marked('utf-16le', `\ufeff${TEXT}\ufeff`), 'auto', { chunkBytes })
    expect(bytes.toString()).toBe(`\ufeff${TEXT}\ufeff`)
  })

  it.each([
    ['nothing', []],
    ['FF', [0xff]],
    ['FE', [0xfe]],
    ['EF BB', [0xef, 0xbb]],
    ['00 00 FE', [0, 0, 0xfe]],
    ['00 00 FE FE', [0, 0, 0xfe, 0xfe, 65]],
    ['EF BB 41', [0xef, 0xbb, 0x41]],
    ['FF FF', [0xff, 0xff, 0xfe]],
  ])('are not seen in %s', async (_, bytes) => {
    const result = await read(Uint8Array.from(bytes), 'auto', { chunkBytes })
    expect(result.error).toBeUndefined()
    expect([...result.bytes]).toEqual(bytes)
  })
})

describe('UTF-8', () => {
  const chunks = ['a,b\n', 'é\xff', 'x', '😀'.repeat(5000)].map(text => Buffer.from(text, 'latin1'))

  it.each(['auto', 'utf-8', 'UTF8'])('passes through as the same chunks, as %s', async encoding => {
    const given: Uint8Array[] = []
    for await (const chunk of decodeText(sourceOfChunks(chunks), { encoding, ...raise }).stream()) given.push(chunk)
    expect(given.length).toBe(chunks.length)
    for (const [i, chunk] of given.entries()) expect(chunk).toBe(chunks[i])
  })

  it('passes through to the very sink', () => {
    const sink = new MemorySink()
    expect(encodeText(sink, { encoding: 'utf-8', onUnmappable: 'raise' })).toBe(sink)
    expect(encodeText(sink, { encoding: 'UTF8', bom: false, onUnmappable: 'replace' })).toBe(sink)
  })

  it('keeps the facets where it is named, and only there', () => {
    const random = { size: async () => 3, readRanges: async () => [] }
    const source: ByteSource = { ...sourceOfChunks([]), random, localPath: '/tmp/x.csv', size: 3 }
    const named = decodeText(source, { encoding: 'utf-8', ...raise })
    expect(named.random).toBe(random)
    expect(named.localPath).toBe('/tmp/x.csv')
    expect(named.size).toBe(3)
    for (const encoding of ['auto', 'utf-16le', 'latin1', 'ascii']) {
      const view = decodeText(source, { encoding, ...raise })
      expect('random' in view || 'localPath' in view || 'size' in view).toBe(false)
      expect(view.label).toBe('x.csv')
      expect(view.replayable).toBe(true)
    }
    const bare = decodeText(sourceOfChunks([]), { encoding: 'utf-8', ...raise })
    expect('random' in bare || 'localPath' in bare || 'size' in bare).toBe(false)
  })
})

describe('the life of a reading view', () => {
  const broken = (chunks: readonly Uint8Array[], failure: Error) => {
    const events: string[] = []
    const source: ByteSource = {
      label: 'x',
      replayable: false,
      async *stream() {
        try {
          yield* chunks
          throw failure
        } finally {
          events.push('closed')
        }
      },
      async [Symbol.asyncDispose]() {
        events.push('disposed')
      },
    }
    return { source, events }
  }

  it.each(['auto', 'utf-8', 'utf-16le', 'latin1', 'shift_jis', 'iso-2022-jp'])(
    'tells the failure of the source itself, after what came before, as %s',
    async encoding => {
      const failure = new Error('gone')
      const text = Buffer.from('ab\n')
      const { source, events } = broken([encoding === 'utf-16le' ? unicode('ab\n', 'utf-16le') : text], failure)
      const view = decodeText(source, { encoding, ...raise })
      const result = await drain(() => view.stream())
      expect(result.error).toBe(failure)
      expect(result.bytes.equals(text)).toBe(true)
      await view[Symbol.asyncDispose]()
      await view[Symbol.asyncDispose]()
      expect(events).toEqual(['closed', 'disposed'])
    },
  )

  it('stops the source after an invalid sequence, once, and says the error again', async () => {
    const { source, events } = broken([Buffer.from('ab\n\xff\xff', 'latin1'), Buffer.from('cd')], new Error('not here'))
    const chunks = decodeText(source, { encoding: 'euc-jp', ...raise })
      .stream()
      [Symbol.asyncIterator]()
    expect(Buffer.from((await chunks.next()).value!).toString()).toBe('ab\n')
    const told = await chunks.next().catch((error: unknown) => error)
    expect(codeOf(told)).toBe('TEXT_INVALID_ENCODING')
    await expect(chunks.next()).rejects.toBe(told)
    expect(events).toEqual(['closed'])
  })

  it('takes the label that it is given into its errors', async () => {
    const view = decodeText(sourceOf(Buffer.from('\xff', 'latin1')), { encoding: 'gbk', label: 'y.csv.gz', ...raise })
    const { error } = await drain(() => view.stream())
    expect(error).toMatchObject({ label: 'y.csv.gz' })
  })
})

/** The contract's suites are about bytes: each byte goes as one character. */
const asText = (bytes: Uint8Array) => Buffer.from(Buffer.from(bytes).toString('latin1'))
const asBytes = (utf8: Uint8Array) => Buffer.from(Buffer.from(utf8).toString(), 'latin1')

function bytesOfView(view: ByteSource): ByteSource {
  return {
    label: view.label,
    replayable: view.replayable,
    stream(options?: Abortable): AsyncIterableIterator<Uint8Array> {
      const inner = view.stream(options)[Symbol.asyncIterator]()
      const map = (step: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> =>
        step.done === true ? step : { done: false, value: asBytes(step.value) }
      return {
        next: async () => map(await inner.next()),
        return: async () => map(await inner.return!()),
        [Symbol.asyncIterator]() {
          return this
        },
      }
    },
    [Symbol.asyncDispose]: () => view[Symbol.asyncDispose](),
  }
}

const blocked = (): ByteSource => ({
  label: 'x',
  replayable: true,
  stream: ({ signal } = {}) => ({
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        }),
      return: async () => ({ done: true, value: undefined }),
    }),
  }),
  async [Symbol.asyncDispose]() {},
})

sourceContract(
  'a view of UTF-8',
  async bytes => {
    return { source: decodeText(sourceOf(bytes), { encoding: 'auto', ...raise }) }
  },
  { replayable: true, makeBlocked: async () => ({ source: decodeText(blocked(), { encoding: 'auto', ...raise }) }) },
)

sourceContract(
  'a view of UTF-16',
  async bytes => {
    const source = sourceOf(Buffer.from(Buffer.from(bytes).toString('latin1'), 'utf16le'), 65537)
    return { source: bytesOfView(decodeText(source, { encoding: 'utf-16le', ...raise })) }
  },
  {
    replayable: true,
    makeBlocked: async () => ({ source: bytesOfView(decodeText(blocked(), { encoding: 'utf-16le', ...raise })) }),
  },
)

sourceContract('a view of a source that is read once', async bytes => ({
  source: decodeText(sourceOf(bytes, 4096, false), { encoding: 'auto', ...raise }),
}))

sinkContract(
  'a view that writes UTF-16',
  async old => {
    const inner = new MemorySink()
    if (old !== undefined) inner.content = Buffer.from(old)
    const view = encodeText(inner, { encoding: 'utf-16be', bom: false, onUnmappable: 'raise' })
    const sink: ByteSink = {
      label: view.label,
      write: chunk => view.write(asText(chunk)),
      close: () => view.close(),
      abort: reason => view.abort(reason),
      [Symbol.asyncDispose]: () => view[Symbol.asyncDispose](),
    }
    return {
      sink,
      content: () =>
        inner.closed ? Buffer.from(Buffer.from(inner.content!).swap16().toString('utf16le'), 'latin1') : inner.content,
    }
  },
  { atomic: true },
)

describe('the life of a writing view', () => {
  it.each(['utf-8', 'utf-16', 'latin1', 'big5'])(
    'closes, aborts and disposes what is below once, as %s',
    async name => {
      const make = () => {
        const inner = new MemorySink()
        return {
          inner,
          view: encodeText(inner, { encoding: name, bom: name.startsWith('utf'), onUnmappable: 'raise' }),
        }
      }
      const closed = make()
      await closed.view.write(Buffer.from('a'))
      await closed.view.close()
      await closed.view.close()
      await closed.view.abort(new Error('too late'))
      await closed.view[Symbol.asyncDispose]()
      expect(closed.inner.calls).toEqual(['close', 'dispose'])

      const aborted = make()
      const reason = new Error('enough')
      await aborted.view.abort(reason)
      await aborted.view.abort(new Error('again'))
      expect(aborted.inner.calls).toEqual(['abort'])
      expect(aborted.inner.aborted).toEqual({ reason })
      await expect(aborted.view.write(Buffer.from('a'))).rejects.toMatchObject({ code: 'HANDLE_CLOSED', cause: reason })

      const disposed = make()
      await disposed.view.write(Buffer.from('a'))
      await disposed.view[Symbol.asyncDispose]()
      expect(disposed.inner.calls).toEqual(['abort', 'dispose'])
      await expect(disposed.view.close()).rejects.toMatchObject({ code: 'HANDLE_CLOSED' })
    },
  )

  it('repeats what the sink failed with, and does not close', async () => {
    const failure = new Error('full')
    const inner = new MemorySink()
    inner.write = () => Promise.reject(failure)
    const view = encodeText(inner, { encoding: 'koi8-r', onUnmappable: 'raise' })
    await expect(view.write(Buffer.from('a'))).rejects.toBe(failure)
    await expect(view.write(Buffer.from('b'))).rejects.toBe(failure)
    await expect(view.close()).rejects.toBe(failure)
    expect(inner.calls).toEqual([])
  })

  it('waits for the sink: that is the backpressure', async () => {
    const inner = new MemorySink()
    let settle = () => {}
    inner.write = () => new Promise(resolve => (settle = resolve))
    const view = encodeText(inner, { encoding: 'utf-16le', onUnmappable: 'raise' })
    let settled = false
    const writing = view.write(Buffer.from('a')).then(() => (settled = true))
    await turns()
    expect(settled).toBe(false)
    settle()
    await writing
  })

  it('keeps the order of writes that do not wait for one another', async () => {
    const inner = new MemorySink()
    const view = encodeText(inner, { encoding: 'shift_jis', onUnmappable: 'raise' })
    const text = TEXTS.shift_jis!
    await Promise.all(Array.from(Buffer.from(text), byte => view.write(Uint8Array.of(byte))))
    await view.close()
    expect(inner.content!.equals(await write(text, 'shift_jis'))).toBe(true)
  })
})

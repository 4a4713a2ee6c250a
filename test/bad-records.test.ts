/** The error policy: every bad record is raised, skipped or put aside, counted, and can be mended and read again. */
import { describe, expect, it } from 'vitest'
import { type DeadLetter, MemoryTarget, openIterable, type ReadOptions, type Row } from '../src/index.ts'

const text = 'id,name\n1,Ada\n2\n3,Cid,x\n4,"Dan\nna"\n5,"E"ve\n6,Flo\n'
const good = ['1', '4', '6']
const people = { text, name: 'people.csv' }
const collect = async (options: ReadOptions) => {
  const handle = openIterable(people, options)
  const ids: unknown[] = []
  for await (const row of handle) ids.push(row.id)
  return { handle, ids }
}
const lettersOf = (target: MemoryTarget) => openIterable<DeadLetter & object>(target).readBulk()

describe('reading', () => {
  it('raises by default', async () => {
    await expect(collect({})).rejects.toMatchObject({ code: 'CSV_RAGGED_RECORD', record: 2, line: 3 })
  })

  it('skips, and counts what it skips', async () => {
    const { handle, ids } = await collect({ onError: 'skip' })
    expect(ids).toEqual(good)
    expect([handle.rowsRead, handle.rowsSkipped, handle.rowsFailed]).toEqual([3, 3, 0])
  })

  it('puts bad records aside with their text and place', async () => {
    const bad = new MemoryTarget('bad.jsonl')
    const { handle, ids } = await collect({ deadLetters: bad })
    expect(ids).toEqual(good)
    expect([handle.rowsRead, handle.rowsSkipped, handle.rowsFailed]).toEqual([3, 0, 3])
    const letters = await lettersOf(bad)
    expect(letters).toMatchObject([
      { label: 'people.csv', code: 'CSV_RAGGED_RECORD', line: 3, column: 1, byte: 14, record: 2, raw: '2' },
      { code: 'CSV_RAGGED_RECORD', line: 4, record: 3, raw: '3,Cid,x' },
      { code: 'CSV_TEXT_AFTER_QUOTE', line: 7, record: 5, raw: '5,"E"ve' },
    ])
    expect(letters[0]?.message).toContain('people.csv:3:1 [CSV_RAGGED_RECORD]')
  })

  it('gives letters that can be mended and read again', async () => {
    const bad = new MemoryTarget('bad.csv')
    const { handle } = await collect({ deadLetters: bad })
    const mended = (await lettersOf(bad)).map(({ raw }) => `${raw?.replace(/,x$/, '').replace('"E"ve', 'Eve')}`)
    expect(mended).toEqual(['2', '3,Cid', '5,Eve'])
    const again = openIterable(
      { text: mended.map(line => (line.includes(',') ? line : `${line},`)).join('\n'), name: 'mended.csv' },
      { header: [...handle.columns!] },
    )
    expect(await again.readBulk()).toEqual([
      { id: '2', name: '' },
      { id: '3', name: 'Cid' },
      { id: '5', name: 'Eve' },
    ])
  })

  it('asks a function, which sees the error and the text', async () => {
    const seen: unknown[] = []
    const bad = new MemoryTarget('bad.jsonl')
    const { handle } = await collect({
      deadLetters: bad,
      onError: (error, { raw }) => {
        seen.push([error.code, raw])
        return error.code === 'CSV_RAGGED_RECORD' ? 'quarantine' : undefined
      },
    })
    expect(seen).toEqual([
      ['CSV_RAGGED_RECORD', '2'],
      ['CSV_RAGGED_RECORD', '3,Cid,x'],
      ['CSV_TEXT_AFTER_QUOTE', '5,"E"ve'],
    ])
    expect([handle.rowsRead, handle.rowsSkipped, handle.rowsFailed]).toEqual([3, 1, 2])
    expect(await lettersOf(bad)).toHaveLength(2)

    const mine = new Error('mine')
    const throwing = collect({
      onError: () => {
        throw mine
      },
    })
    await expect(throwing).rejects.toBe(mine)
    await expect(collect({ onError: () => 'raise' })).rejects.toMatchObject({ code: 'CSV_RAGGED_RECORD' })
  })

  it('stops after maxErrors, and publishes the letters there are', async () => {
    const bad = new MemoryTarget('bad.jsonl')
    await expect(collect({ deadLetters: bad, maxErrors: 2 })).rejects.toMatchObject({
      code: 'TOO_MANY_ERRORS',
      line: 7,
      cause: { code: 'CSV_TEXT_AFTER_QUOTE' },
    })
    expect(await lettersOf(bad)).toHaveLength(2)
    await expect(collect({ onError: 'skip', maxErrors: 0 })).rejects.toMatchObject({ code: 'TOO_MANY_ERRORS' })
  })

  it('publishes an empty output of letters where nothing was bad', async () => {
    const bad = new MemoryTarget('bad.jsonl', '{"code":"of the last run"}\n')
    const rows = openIterable({ text: 'a\n1\n', name: 'x.csv' }, { deadLetters: bad })
    expect(await rows.readBulk()).toEqual([{ a: '1' }])
    expect(bad.text()).toBe('')
  })

  it("writes letters to a writer of the user's, and leaves it open", async () => {
    const bad = new MemoryTarget('bad.jsonl')
    const letters = openIterable<DeadLetter & object>(bad, { mode: 'w' })
    await collect({ deadLetters: letters })
    await collect({ deadLetters: letters })
    await letters.close()
    expect(await lettersOf(bad)).toHaveLength(6)
  })

  it('fails when the letters cannot be written', async () => {
    await expect(collect({ deadLetters: '/nowhere/at/all/bad.jsonl' })).rejects.toMatchObject({
      code: 'SINK_NOT_FOUND',
    })
    await expect(collect({ onError: 'quarantine' })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })

  it('puts away any number of bad records in bounded memory', async () => {
    let waiting = 0
    let most = 0
    let written = 0
    const letters = {
      async writeBulk(rows: readonly unknown[]) {
        waiting = rows.length
        most = Math.max(most, waiting)
        written += rows.length
        return rows.length
      },
      async close() {},
    }
    const lines = (function* () {
      yield 'a,b\n'
      for (let i = 0; i < 500; i++) yield 'bad\n'.repeat(100)
    })()
    const handle = openIterable(lines, { format: 'csv', deadLetters: letters as never })
    expect(await handle.readBulk()).toEqual([])
    expect([written, handle.rowsFailed]).toEqual([50_000, 50_000])
    expect(most).toBeLessThan(3000)
  })
})

describe('writing', () => {
  const rows: Row[] = [{ a: 1 }, { a: 2, b: 'extra' }, { a: 3 }]

  it('leaves bad rows out wholly, counts them and puts them aside', async () => {
    for (const onError of ['skip', 'quarantine'] as const) {
      const target = new MemoryTarget('x.csv')
      const bad = new MemoryTarget('bad.jsonl')
      const out = openIterable(target, { mode: 'w', columns: ['a'], onError, deadLetters: bad })
      await out.writeBulk(rows)
      await out.close()
      expect(target.text()).toBe('a\n1\n3\n')
      expect([out.rowsWritten, out.rowsSkipped, out.rowsFailed]).toEqual(onError === 'skip' ? [2, 1, 0] : [2, 0, 1])
      const letters = await lettersOf(bad)
      if (onError === 'quarantine') {
        expect(letters).toMatchObject([{ code: 'CSV_UNKNOWN_COLUMN', record: 2, raw: '{"a":2,"b":"extra"}' }])
      } else expect(letters).toEqual([])
    }
  })

  it('raises by default, and publishes nothing then', async () => {
    const target = new MemoryTarget('x.csv', 'old')
    const out = openIterable(target, { mode: 'w', columns: ['a'] })
    await expect(out.writeBulk(rows)).rejects.toMatchObject({ code: 'CSV_UNKNOWN_COLUMN' })
    await expect(out.close()).rejects.toMatchObject({ code: 'WRITER_FAILED' })
    expect(out.rowsFailed).toBe(1)
    expect(target.text()).toBe('old')
  })
})

describe('a Standard Schema', () => {
  /** A schema as libraries make them: { id: whole number in text → number, name: not empty }. */
  const schema = (asynchronous: boolean) => ({
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      types: undefined as { input: unknown; output: { id: number; name: string } } | undefined,
      validate: (value: unknown) => {
        const { id, name } = value as Record<string, string>
        const issues = [
          ...(/^\d+$/.test(id ?? '') ? [] : [{ message: 'expected a whole number', path: ['id'] }]),
          ...(name === '' ? [{ message: 'must not be empty', path: [{ key: 'name' }] }] : []),
        ]
        const result = issues.length > 0 ? { issues } : { value: { id: Number(id), name: name! } }
        return asynchronous ? Promise.resolve(result) : result
      },
    },
  })
  const source = { text: 'id,name\n1,Ada\nx,\n3,Cid\n', name: 'people.csv' }

  it.each([false, true])('validates and transforms each row, asynchronous: %s', async asynchronous => {
    const handle = openIterable(source, { schema: schema(asynchronous), onError: 'skip' })
    const ids: number[] = []
    for await (const row of handle) ids.push(row.id)
    expect(ids).toEqual([1, 3])
    expect([handle.rowsRead, handle.rowsSkipped]).toEqual([2, 1])
    expect(handle.columns).toEqual(['id', 'name'])
  })

  it('tells where a row is not what it should be, after the good rows', async () => {
    const handle = openIterable(source, { schema: schema(false) })
    expect(await handle.readBulk()).toEqual([{ id: 1, name: 'Ada' }])
    await expect(handle.readBulk()).rejects.toMatchObject({
      code: 'SCHEMA_INVALID',
      label: 'people.csv',
      record: 2,
      message: expect.stringContaining('id: expected a whole number; name: must not be empty'),
      found: '"x"',
    })
  })

  it('is refused where it is none', async () => {
    await expect(openIterable(source, { schema: {} as never }).read()).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })
})

describe('records that an option passes over', () => {
  const text = 'a,b\n1,x\n2,y\n , \n3\n,\n'

  it.each(['native', 'csv-parse'] as const)('are counted, by the engine %s', async engine => {
    for (const cast of [false, true]) {
      const reader = openIterable(
        { text, name: 'x.csv' },
        {
          engine,
          cast,
          skipRecordsWithEmptyValues: true,
          onRecord: row => (String(row.a) === '1' ? null : row),
          onError: 'quarantine',
          deadLetters: new MemoryTarget('bad.jsonl'),
          maxErrors: 1,
        },
      )
      expect((await reader.readBulk(10)).length).toBe(1)
      // Of five records: one is delivered, one left out by onRecord, two are blank, and one is bad.
      expect([reader.rowsRead, reader.rowsSkipped, reader.rowsFailed]).toEqual([1, 3, 1])
      await reader.close()
    }
  })
})

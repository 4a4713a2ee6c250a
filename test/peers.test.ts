/** What README.md says that parsers of CSV make of a broken file, each as it is when it is not told otherwise. */
import { Readable } from 'node:stream'
import { parse } from 'csv-parse'
import csvParser from 'csv-parser'
import Papa from 'papaparse'
import { inferSchema, initParser } from 'udsv'
import { describe, expect, it } from 'vitest'
import { openIterable } from '../src/index.ts'

interface Outcome {
  readonly rows: readonly object[]
  /** What was thrown, or told beside the rows. */
  readonly errors: readonly unknown[]
}

async function collect(rows: AsyncIterable<object>): Promise<Outcome> {
  const all: object[] = []
  try {
    for await (const row of rows) all.push({ ...row })
    return { rows: all, errors: [] }
  } catch (error) {
    return { rows: all, errors: [error] }
  }
}
const bytesOf = (text: string) => Readable.from([Buffer.from(text)])
const ours = (text: string) => collect(openIterable({ text, name: 'x.csv' }))
const csvParse = (text: string) => collect(bytesOf(text).pipe(parse({ columns: true })))
const streaming = (text: string) => collect(bytesOf(text).pipe(csvParser()))
const papa = (text: string): Outcome => {
  const { data, errors } = Papa.parse<object>(text, { header: true, delimiter: ',' })
  return { rows: data, errors }
}
const udsv = (text: string): Outcome => ({ rows: initParser(inferSchema(text)).stringObjs(text), errors: [] })

const MISSING = 'id,name\n1,Ada\n2\n3,Cid\n4,Dee'
const STRAY = 'id,name\n1,Ada\n2,"Bob"x\n3,Cid\n4,Dee'
const UNCLOSED = 'id,name\n1,Ada\n2,"Bob\n3,Cid\n4,Dee'

describe('a broken file', () => {
  it.each([MISSING, STRAY, UNCLOSED])('is an error here, and by csv-parse: %j', async text => {
    for (const read of [ours, csvParse]) expect((await read(text)).errors).toHaveLength(1)
  })

  it('without a field', async () => {
    expect(papa(MISSING)).toMatchObject({ rows: { 1: { id: '2' }, length: 4 }, errors: [{ code: 'TooFewFields' }] })
    expect(udsv(MISSING).rows).toEqual([
      { id: '1', name: 'Ada' },
      { id: '2\n3', name: 'Cid' },
      { id: '4', name: 'Dee' },
    ])
    expect(await streaming(MISSING)).toEqual({
      rows: [{ id: '1', name: 'Ada' }, { id: '2' }, { id: '3', name: 'Cid' }, { id: '4', name: 'Dee' }],
      errors: [],
    })
  })

  it('with text behind a quote', async () => {
    const merged = {
      rows: [
        { id: '1', name: 'Ada' },
        { id: '2', name: expect.stringContaining('Dee') },
      ],
    }
    expect(papa(STRAY)).toMatchObject({ ...merged, errors: [{ code: 'InvalidQuotes' }, { code: 'MissingQuotes' }] })
    expect(udsv(STRAY).rows[1]).toEqual({ id: '2', name: 'x' })
    expect(await streaming(STRAY)).toMatchObject({ rows: { 1: { id: '2', name: '"Bob"x' }, length: 4 }, errors: [] })
  })

  it('with a quote that never closes', async () => {
    const merged = {
      rows: [
        { id: '1', name: 'Ada' },
        { id: '2', name: expect.stringContaining('Dee') },
      ],
    }
    expect(papa(UNCLOSED)).toMatchObject({ ...merged, errors: [{ code: 'MissingQuotes' }] })
    expect(udsv(UNCLOSED).rows).toEqual([
      { id: '1', name: 'Ada' },
      { id: '2', name: '' },
    ])
    expect(await streaming(UNCLOSED)).toMatchObject({ ...merged, errors: [] })
  })
})

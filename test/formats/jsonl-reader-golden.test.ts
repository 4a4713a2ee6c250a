import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { JsonlReadOptions } from '../../src/formats/jsonl/read-options.ts'
import { readJsonl } from './jsonl-reading.ts'
import { placeOf, rowsText } from './reading-by-chunks.ts'

interface Expected {
  readonly options?: JsonlReadOptions
  readonly rows: unknown[]
  readonly errors: object[]
}

const folder = new URL('../../fixtures/jsonl/', import.meta.url)
const names = readdirSync(folder)
  .filter(name => name.endsWith('.jsonl'))
  .map(name => name.slice(0, -'.jsonl'.length))

describe('fixtures/jsonl', () => {
  test('are there', () => expect(names.length).toBeGreaterThanOrEqual(9))

  for (const name of names) {
    const bytes = readFileSync(new URL(`${name}.jsonl`, folder))
    const expected: Expected = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))
    test(`${name}, in chunks of every size`, () => {
      for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes++) {
        const { rows, errors, failure } = readJsonl(bytes, { ...expected.options, chunkBytes, skip: true })
        expect(failure).toBeUndefined()
        expect(rowsText(rows)).toBe(JSON.stringify(expected.rows))
        expect(errors.map(([error]) => placeOf(error))).toEqual(expected.errors)
      }
    })
  }
})

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { JsonReadOptions } from '../../src/formats/json/read-options.ts'
import { readJson } from './json-reading.ts'
import { placeOf, rowsText } from './reading-by-chunks.ts'

interface Expected {
  readonly options?: JsonReadOptions
  readonly rows: unknown[]
  readonly errors: object[]
  readonly failure?: object
}

const folder = new URL('../../fixtures/json/', import.meta.url)
const names = readdirSync(folder)
  .filter(name => name.endsWith('.expected.json'))
  .map(name => name.slice(0, -'.expected.json'.length))

describe('fixtures/json', () => {
  test('are there', () => expect(names.length).toBeGreaterThanOrEqual(14))

  for (const name of names) {
    const bytes = readFileSync(new URL(`${name}.json`, folder))
    const expected: Expected = JSON.parse(readFileSync(new URL(`${name}.expected.json`, folder), 'utf8'))
    test(`${name}, in chunks of every size`, () => {
      for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes++) {
        const { rows, errors, failure } = readJson(bytes, { ...expected.options, chunkBytes, skip: true })
        expect(rowsText(rows)).toBe(JSON.stringify(expected.rows))
        expect(errors.map(([error]) => placeOf(error))).toEqual(expected.errors)
        expect(placeOf(failure)).toEqual(expected.failure)
      }
    })
  }
})

/** Reads every file of fixtures/csv and holds it against the .json beside it. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { resolveReadOptions } from '../../src/formats/csv/read-dialect.ts'
import type { CsvReadOptions } from '../../src/formats/csv/read-options.ts'
import { readCsv } from './csv-reading.ts'

const folder = new URL('../../fixtures/csv/', import.meta.url)
const files = readdirSync(folder).filter(file => /\.[cpt]sv$/.test(file))

interface Expected {
  readonly options?: CsvReadOptions
  readonly columns?: string[] | null
  readonly rows: unknown[]
  readonly error?: Record<string, unknown> & { readonly message?: string }
}

describe.each(files)('%s', file => {
  const bytes = readFileSync(new URL(file, folder))
  const expected: Expected = JSON.parse(readFileSync(new URL(file.replace(/sv$|\.[^.]+$/, '.json'), folder), 'utf8'))
  const options = expected.options ?? {}
  const engines =
    resolveReadOptions(options).engine === 'native' ? (['native', 'csv-parse'] as const) : (['csv-parse'] as const)

  it.each(engines)('is read by the %s engine', async engine => {
    for (const chunkBytes of [1, 7, 1_000_000]) {
      const outcome = await readCsv(bytes, { ...options, engine }, { chunkBytes })
      expect(outcome.engine).toBe(engine)
      expect(outcome.rows).toEqual(expected.rows)
      if (expected.error === undefined) {
        expect(outcome.error).toBeUndefined()
        expect(outcome.columns ?? null).toEqual(expected.columns)
      } else {
        const { message = '', ...fields } = expected.error
        expect(outcome.error).toMatchObject(fields)
        expect(outcome.error?.message).toContain(message)
      }
    }
  })
})

it('has cases', () => {
  expect(files.length).toBeGreaterThan(60)
})

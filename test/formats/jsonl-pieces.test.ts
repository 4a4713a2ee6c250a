/** Blocks with few characters beyond ASCII, which are read piece by piece. */
import { describe, expect, test } from 'vitest'
import { JsonlDecoder } from '../../src/formats/jsonl/decoder.ts'
import { readJsonl } from './jsonl-reading.ts'
import { placeOf, rowsText } from './reading-by-chunks.ts'

/** Lines of several blocks; each 40th goes beyond ASCII, so that some pieces do and most do not. */
function linesOf(count: number, make: (index: number, text: string) => string): string[] {
  return Array.from({ length: count }, (_, index) => make(index, index % 40 === 7 ? 'Amélie 🎬 漢' : 'Emily'))
}

const short = linesOf(3000, (index, text) => `{"n":${index},"text":"${text}"}`)
const nested = linesOf(3000, (index, text) => `{"n":{"i":${index}},"text":"${text}}{"}`)
const long = linesOf(400, (index, text) => `{"n":${index},"text":"${text}${'\\n long'.repeat(index % 90)}"}`)
const huge = linesOf(60, (index, text) => `{"n":${index},"text":"${text}${'x'.repeat(index * 700)}"}`)

describe.each([
  ['short lines', short],
  ['objects inside', nested],
  ['long lines', long],
  ['lines that are longer than a piece', huge],
])('%s', (_name, lines) => {
  const expected = rowsText(lines.map(line => JSON.parse(line)))

  test.each([1_000_000, 100_000, 9000])('chunks of %s bytes give each line once, in order', chunkBytes => {
    for (const lineEnd of ['\n', '\r\n']) {
      const { rows, failure } = readJsonl(lines.join(lineEnd) + lineEnd, { chunkBytes })
      expect(failure).toBeUndefined()
      expect(rowsText(rows)).toBe(expected)
    }
    expect(rowsText(readJsonl(`\ufeff${lines.join('\n')}`, { chunkBytes }).rows)).toBe(expected)
  })

  test('a bad line in any piece is told with its place, and the rows before it come', () => {
    for (let bad = 0; bad < lines.length; bad += Math.ceil(lines.length / 23)) {
      const input = lines.with(bad, '{"é":1,,}').join('\n')
      const byte = Buffer.byteLength(lines.slice(0, bad).join('\n')) + (bad > 0 ? 1 : 0) + 8
      const place = { code: 'JSON_INVALID', line: bad + 1, column: 8, byte, record: bad + 1 }
      const stopped = readJsonl(input)
      expect(stopped.rows.length).toBe(bad)
      expect(placeOf(stopped.failure!)).toEqual(place)
      const { rows, errors } = readJsonl(input, { skip: true })
      expect(rowsText(rows)).toBe(rowsText(lines.toSpliced(bad, 1).map(line => JSON.parse(line))))
      expect(errors.map(([error]) => placeOf(error))).toEqual([place])
    }
  })

  test('an integer that no number holds is found in any piece', () => {
    for (let at = 0; at < lines.length; at += Math.ceil(lines.length / 23)) {
      const { rows } = readJsonl(lines.with(at, '{"é":9007199254740993}').join('\n'))
      expect(rows.length).toBe(lines.length)
      expect(rows[at]).toEqual({ é: 9007199254740993n })
    }
  })
})

test('the pieces of a block are one batch', () => {
  const decoder = new JsonlDecoder(
    {},
    {
      label: 'in.jsonl',
      onBadRecord(error) {
        throw error
      },
    },
  )
  const bytes = Buffer.from(`${short.join('\n')}\n`)
  const batches = [...decoder.decode(bytes), ...decoder.flush()]
  expect(batches.length).toBe(Math.ceil(bytes.length / 65_536))
  expect(batches.flat().length).toBe(short.length)
})

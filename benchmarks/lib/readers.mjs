/** Variants that several reading cases have: the library by rows and by batches, udsv, and Python. */
import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { loadSubject } from './subject.mjs'
import { createTally } from './tally.mjs'

/** @typedef {{ file: string, prove?: boolean }} Input */
/** @typedef {{ take: (row: Record<string, unknown>) => void, result: () => object }} Tally */

/**
 * The library, one row after the other by `for await`.
 * @param {'csv' | 'jsonl' | 'json'} format
 * @param {{ gzip?: boolean, options?: object, tally?: (input: Input) => Tally, fileOf?: (input: any) => string }} [more]
 */
export function byRow(format, { gzip = false, options = {}, tally = createTally, fileOf = ({ file }) => file } = {}) {
  return async (input, clock) => {
    const openIterable = await loadSubject(format, { gzip })
    const { take, result } = tally(input)
    clock.start()
    for await (const row of openIterable(fileOf(input), options)) take(row)
    return result()
  }
}

/**
 * The library by batches.
 * @param {'csv' | 'jsonl' | 'json'} format
 * @param {{ options?: object, tally?: (input: Input) => Tally }} [more]
 */
export function byBatches(format, { options = {}, tally = createTally } = {}) {
  return async (input, clock) => {
    const openIterable = await loadSubject(format)
    const { take, result } = tally(input)
    clock.start()
    for await (const batch of openIterable(input.file, options).batches()) {
      for (let i = 0; i < batch.length; i++) take(batch[i])
    }
    return result()
  }
}

/** csv-parse by `for await`. @param {object} [options] @param {(input: Input) => Tally} [tally] */
export function byCsvParse(options = {}, tally = createTally) {
  return async (input, clock) => {
    const { parse } = await import('csv-parse')
    const { take, result } = tally(input)
    clock.start()
    for await (const row of createReadStream(input.file).pipe(parse({ columns: true, ...options }))) take(row)
    return result()
  }
}

/**
 * udsv in chunks of 64 KiB, its best, by `for await`.
 * @param {'stringObjs' | 'typedObjs'} rowsAs
 * @param {(input: Input) => Tally} [tally]
 */
export function byUdsv(rowsAs, tally = createTally) {
  return async (input, clock) => {
    const { inferSchema, initParser } = await import('udsv')
    const { take, result } = tally(input)
    clock.start()
    for await (const row of readRows()) take(row)
    return result()

    async function* readRows() {
      let rows = []
      let parser
      const collect = row => {
        rows.push(row)
      }
      for await (const text of createReadStream(input.file, { encoding: 'utf8', highWaterMark: 65_536 })) {
        parser ??= initParser(inferSchema(text))
        parser.chunk(text, parser[rowsAs], collect)
        for (let i = 0; i < rows.length; i++) yield rows[i]
        rows = []
      }
      parser.end()
      for (let i = 0; i < rows.length; i++) yield rows[i]
    }
  }
}

/**
 * Python's standard library, as a yardstick: it times itself, from opening the file on. To be proven it prints its rows.
 * @param {'csv' | 'jsonl' | 'json'} format
 */
export function byPython(format) {
  return async input => {
    const script = fileURLToPath(new URL('yardstick.py', import.meta.url))
    const python = spawn('python3', [script, format, input.file, input.prove ? 'prove' : 'time'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { take, result } = createTally(input)
    let measured
    for await (const line of createInterface({ input: python.stdout })) {
      const answer = JSON.parse(line)
      if (Object.hasOwn(answer, 'measured')) measured = answer.measured
      else take(answer.row)
    }
    if (measured === undefined) throw new Error('python3 did not finish')
    return input.prove ? result() : measured
  }
}

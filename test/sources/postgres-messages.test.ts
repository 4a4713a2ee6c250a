/** Messages of the protocol: cut as the network likes it, whole again, and those that we send as the driver would. */
import fc from 'fast-check'
import { serialize } from 'pg-protocol'
import { describe, expect, it } from 'vitest'
import { parseArray } from '../../src/sources/postgres/arrays.ts'
import { MessageBuffer } from '../../src/sources/postgres/message-buffer.ts'
import { Flight, readError } from '../../src/sources/postgres/messages.ts'
import { textOf } from '../../src/sources/postgres/parameters.ts'
import { parseTableName, quoteIdentifier } from '../../src/sources/postgres/sql-names.ts'

const message = (body: Uint8Array): Buffer => {
  const whole = Buffer.alloc(body.length + 5, 'D')
  whole.writeUInt32BE(body.length + 4, 1)
  whole.set(body, 5)
  return whole
}
const seed = { seed: 6, numRuns: 300 }

describe('MessageBuffer', () => {
  it('gives the same messages, wherever the chunks are cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 400 })), (all, cuts) => {
        const stream = Buffer.concat(all.map(message))
        const buffer = new MessageBuffer()
        const found: Buffer[] = []
        let at = 0
        for (const size of [...cuts, stream.length]) {
          if (at < stream.length) buffer.push(stream.subarray(at, at + size))
          at += size
          while (buffer.load()) {
            const end = buffer.at + 1 + buffer.bytes.readUInt32BE(buffer.at + 1)
            found.push(Buffer.from(buffer.bytes.subarray(buffer.at + 5, end)))
            buffer.at = end
          }
        }
        expect(found).toEqual(all.map(body => Buffer.from(body)))
      }),
      seed,
    )
  })
})

describe('Flight', () => {
  it('writes what the driver writes', () => {
    const values = ['é', null, '', 'x'.repeat(1000), Buffer.from([0, 255])]
    const own = new Flight()
      .parse('SELECT $1, é')
      .bind(values)
      .describePortal()
      .execute(7)
      .closePortal()
      .flush()
      .sync()
      .take()
    const theirs = Buffer.concat([
      serialize.parse({ text: 'SELECT $1, é' }),
      serialize.bind({ values }),
      serialize.describe({ type: 'P' }),
      serialize.execute({ rows: 7 }),
      serialize.close({ type: 'P' }),
      serialize.flush(),
      serialize.sync(),
    ])
    expect(own.equals(theirs)).toBe(true)
    const empty = Buffer.concat([serialize.bind({}), serialize.describe({ type: 'S' }), serialize.copyFail('no')])
    expect(new Flight().bind([]).describeStatement().copyFail('no').take().equals(empty)).toBe(true)
  })

  it('reads errors with any fields, and with none', () => {
    expect(readError(Buffer.from('SERROR\0C42P01\0Mno table\0P12\0\0'), 0)).toMatchObject({
      message: 'no table',
      sqlState: '42P01',
      position: 12,
    })
    expect(readError(Buffer.from('\0'), 0)).toMatchObject({
      message: 'the server gave no message',
      sqlState: undefined,
    })
  })
})

describe('texts', () => {
  it('of arrays are read as they are written', () => {
    const item = fc.oneof(
      fc.constant(null),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('NULL', '', '{}', '"', '\\', ','),
    )
    fc.assert(
      fc.property(fc.array(item), fc.array(fc.array(item, { minLength: 1 }), { minLength: 1 }), (flat, nested) => {
        expect(parseArray(textOf(flat)!, text => text)).toEqual(flat)
        expect(parseArray(textOf(nested)!, text => text)).toEqual(nested)
      }),
      seed,
    )
    expect(parseArray('[0:1]={a,b}', text => text)).toEqual(['a', 'b'])
  })

  it('of JSON hold BigInts as numbers', () => {
    expect(textOf({ a: 9007199254740993n, b: ['bigint 1'], c: null })).toBe(
      '{"a":9007199254740993,"b":["bigint 1"],"c":null}',
    )
  })

  it('of names are quoted, and read in parts', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }), parts => {
        const names = parts.map(part => part.replaceAll('\0', '0'))
        expect(parseTableName(names.map(quoteIdentifier).join('.'))).toEqual(names)
      }),
      seed,
    )
  })
})

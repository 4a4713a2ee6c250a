// A project's own JavaScript: reads and writes with the installed package, by each of its entry points.
import assert from 'node:assert/strict'
import { convert, detect, listIterable, MemoryTarget, openIterable } from 'open-iterable'
import { RetryPolicy } from 'open-iterable/resilience'
import { recordTelemetry } from 'open-iterable/telemetry'

assert.equal(typeof recordTelemetry, 'function')
await new RetryPolicy({ attempts: 1 }).run(async () => 1)

const people = [
  { id: '007', name: 'Ada' },
  { id: '008', name: 'Bob, "the second"' },
]
const out = openIterable('people.csv.gz', { mode: 'w' })
await out.writeBulk(people)
await out.close()
for (const [from, to] of [
  ['people.csv.gz', 'people.jsonl.zst'],
  ['people.jsonl.zst', 'people.json'],
  ['people.json', 'people.psv.lz4'],
  ['people.psv.lz4', 'people.tsv.zip'],
]) {
  const { rowsIn, rowsOut } = await convert(from, to)
  assert.deepEqual([rowsIn, rowsOut], [2, 2])
}
const back = await openIterable('people.tsv.zip').readBulk()
assert.deepEqual(back, people)
assert.equal((await detect('people.tsv.zip')).format, 'csv')
const listed = []
for await (const { name } of listIterable('people.*')) listed.push(name)
assert.equal(listed.length, 5)

const memory = new MemoryTarget('x.csv')
const writer = openIterable(memory, { mode: 'w' })
await writer.write({ a: 1 })
await writer.close()
assert.equal(memory.text(), 'a\n1\n')

// What is outside the own engine goes by csv-parse, which is loaded late.
const commented = openIterable({ text: '# no\na\n1\n', name: 'x.csv' }, { comment: '#' })
assert.deepEqual(await commented.readBulk(), [{ a: '1' }])
assert.equal(commented.engine, 'csv-parse')
console.log('read and written')

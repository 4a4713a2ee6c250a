import { expect, it } from 'vitest'
import { MemoryTarget, openIterable } from '../../src/index.ts'
import { formatContract } from '../../src/testing/format.ts'

formatContract({
  id: 'jsonl',
  name: 'people.jsonl',
  samples: [
    {
      title: 'every type of value',
      rows: [{ s: '007', n: -1.5e-7, t: true, f: false, z: null, a: [1, [2]], o: { x: {} } }],
    },
    { title: 'integers beyond 2^53', rows: [{ id: 9007199254740993n, ids: [-9223372036854775808n, 1] }] },
    { title: 'rows as arrays', rows: [['a', 1], [], [null]] },
    {
      title: 'text beyond ASCII',
      rows: Array.from({ length: 50 }, (_, i) => ({ ключ: `значение ${i} 漢字 🙂 \u2028` })),
    },
    { title: 'names that objects have', rows: [JSON.parse('{"__proto__":1,"constructor":2}')] },
  ],
  bad: {
    text: '{"id":1}\n\n{"id":2,}\n{"id":3}\n',
    code: 'JSON_INVALID',
    before: [{ id: 1 }],
    after: [{ id: 3 }],
  },
})

it('ends a last line without an end before it appends', async () => {
  const file = new MemoryTarget('x.jsonl', '{"a":1}\n{"a":')
  const out = openIterable(file, { mode: 'a' })
  await out.write({ a: 2 })
  await out.close()
  expect(file.text()).toBe('{"a":1}\n{"a":\n{"a":2}\n')
})

it('keeps keys that are written with an escape, whatever keys came before (a fault of V8 from Node 24 on)', async () => {
  const rows = ['"', '\\', '\n', 'a"', 'a\\', '\\"', '"\\'].flatMap(key => [
    { p: 1, [key]: 2 },
    { p: 1, '\\': 3, [key]: 4 },
  ])
  const file = new MemoryTarget('x.jsonl')
  const out = openIterable(file, { mode: 'w' })
  await out.writeBulk(rows)
  await out.close()
  for (let round = 0; round < 3; round++) expect(await openIterable(file).readBulk()).toEqual(rows)
})

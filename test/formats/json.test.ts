import { formatContract } from '../../src/testing/format.ts'

formatContract({
  id: 'json',
  name: 'people.json',
  samples: [
    {
      title: 'every type of value',
      rows: [{ s: '007', n: -1.5e-7, t: true, f: false, z: null, a: [1, [2]], o: { x: {} } }, {}],
    },
    { title: 'integers beyond 2^53', rows: [{ id: 9007199254740993n, ids: [-9223372036854775808n, 1] }, { id: 1 }] },
    { title: 'rows as arrays', rows: [['a', 1], [], [null]] },
    {
      title: 'text beyond ASCII',
      rows: Array.from({ length: 50 }, (_, i) => ({ ключ: `значение ${i} 漢字 🙂 \u2028` })),
    },
    { title: 'names that objects have', rows: [JSON.parse('{"__proto__":1,"constructor":2}')] },
    {
      title: 'laid out over several lines, inside of objects',
      rows: Array.from({ length: 300 }, (_, i) => ({ id: i, tags: [`],[{"`, i], none: {}, deep: [[{ a: [] }]] })),
      write: { indent: 2, pointer: '/data/the~1items' },
      read: { pointer: '/data/the~1items' },
    },
  ],
  appends: false,
  bad: {
    text: '[{"id":1},\n 7, {"id":3}]\n',
    code: 'JSON_NOT_A_ROW',
    before: [{ id: 1 }],
    after: [{ id: 3 }],
  },
})

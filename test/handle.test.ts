import { readerContract } from '../src/testing/reader-handle.ts'
import { writerContract } from '../src/testing/writer-handle.ts'

const csv = {
  name: 'people.csv',
  row: (i: number) => ({ id: `${i}`, name: `person ${i}`, note: i % 5 === 0 ? 'a, "b"\nc' : '' }),
  text: (count: number) =>
    count === 0
      ? ''
      : `id,name,note\n${Array.from({ length: count }, (_, i) => `${i},person ${i},${i % 5 === 0 ? '"a, ""b""\nc"' : ''}\n`).join('')}`,
}
const jsonl = {
  name: 'people.jsonl',
  row: (i: number) => ({ id: i, name: `person ${i}`, tags: ['a', { b: null }], ok: i % 2 === 0 }),
  text: (count: number) => Array.from({ length: count }, (_, i) => `${JSON.stringify(jsonl.row(i))}\n`).join(''),
}

for (const subject of [csv, jsonl]) {
  readerContract(subject)
  writerContract(subject)
}

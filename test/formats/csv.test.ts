import { expect, it } from 'vitest'
import { MemoryTarget, openIterable } from '../../src/index.ts'
import { formatContract } from '../../src/testing/format.ts'

formatContract({
  id: 'csv',
  name: 'people.csv',
  samples: [
    {
      title: 'plain text',
      rows: [
        { id: '007', name: 'Ada' },
        { id: '9007199254740993', name: '' },
      ],
    },
    { title: 'all that is quoted', rows: [{ 'a,b': 'x"y', 'line\nbreak': 'CR\rLF\r\n', ' spaced ': ' "" ' }] },
    {
      title: 'text beyond ASCII',
      rows: Array.from({ length: 50 }, (_, i) => ({ ключ: `значение ${i} 漢字 🙂`, é: 'ü' })),
    },
    { title: 'one column with empty values', rows: [{ only: '' }, { only: 'x' }, { only: '' }] },
    {
      title: 'rows as arrays, another dialect',
      rows: [
        ['a', "it's; x"],
        ['b', ''],
      ],
      read: { header: false, delimiter: ';', quote: "'" },
      write: { header: false, delimiter: ';', quote: "'" },
    },
    { title: 'names that objects have', rows: [JSON.parse('{"__proto__":"1","constructor":"2","toString":"3"}')] },
  ],
  bad: {
    text: 'id,name\n1,"multi\nline"\n2,Bob,extra\n3,Cid\n',
    code: 'CSV_RAGGED_RECORD',
    before: [{ id: '1', name: 'multi\nline' }],
    after: [{ id: '3', name: 'Cid' }],
  },
})

it('keeps the order of columns from CSV to CSV, where names look like integers', async () => {
  const text = '2024,name,1999,10\na,b,c,d\n'
  const copy = new MemoryTarget('copy.csv')
  const out = openIterable(copy, { mode: 'w' })
  await out.writeBulk(openIterable({ text, name: 'x.csv' }))
  await out.close()
  expect(copy.text()).toBe(text)
  expect(out.columns).toEqual(['2024', 'name', '1999', '10'])
})

it('knows the columns once it is open, also without rows', async () => {
  const handle = openIterable({ text: 'b,a\n', name: 'x.csv' })
  expect(handle.columns).toBeUndefined()
  const reader = await handle
  expect(reader.columns).toEqual(['b', 'a'])
  expect(await reader.readBulk(10)).toEqual([])
  expect(reader.engine).toBe('native')
})

it('takes the delimiter from the extension', async () => {
  for (const [name, delimiter] of [
    ['x.tsv', '\t'],
    ['x.tab', '\t'],
    ['x.psv', '|'],
    ['x.csv', ','],
  ] as const) {
    expect(await openIterable({ text: `a${delimiter}b\n1${delimiter}2\n`, name }).read()).toEqual({ a: '1', b: '2' })
  }
  expect(await openIterable({ text: 'a;b\n1;2\n', name: 'x.tsv' }, { delimiter: ';' }).read()).toEqual({
    a: '1',
    b: '2',
  })
})

it('appends under the header that is there, and refuses what would not be read back', async () => {
  const file = new MemoryTarget('x.csv', 'a,b\n1,2')
  const out = openIterable(file, { mode: 'a' })
  await out.write({ b: '4', a: '3' })
  await out.close()
  expect(file.text()).toBe('a,b\n1,2\n3,4\n')

  const other = openIterable(file, { mode: 'a' })
  await expect(other.write({ a: '5', c: '6' })).rejects.toMatchObject({ code: expect.stringMatching(/^CSV_/) })
  const torn = openIterable(new MemoryTarget('x.csv', 'a,b\n1,"never closed\n'), { mode: 'a' })
  await expect(torn.write({ a: '1', b: '2' })).rejects.toMatchObject({ code: 'CSV_QUOTE_NOT_CLOSED' })
  expect(file.text()).toBe('a,b\n1,2\n3,4\n')
})

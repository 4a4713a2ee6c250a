import { zipSync } from 'fflate'
import { expect, it } from 'vitest'
import { listMembers, openIterable } from '../src/index.ts'

const archive = {
  name: 'tables.zip',
  bytes: zipSync({
    'people.csv': Buffer.from('id,name\n1,Ada\n'),
    'more/cities.jsonl': Buffer.from('{"city":"Rome"}\n'),
  }),
}

it('lists what is in an archive, and each member is read by its name', async () => {
  const members = await listMembers(archive)
  expect(members.map(({ name, bytes }) => [name, bytes])).toEqual([
    ['people.csv', 14],
    ['more/cities.jsonl', 16],
  ])
  const rows: object[] = []
  for (const { name } of members) for await (const row of openIterable(archive, { member: name })) rows.push(row)
  expect(rows).toEqual([{ id: '1', name: 'Ada' }, { city: 'Rome' }])
  await expect(openIterable(archive).read()).rejects.toMatchObject({ code: 'MEMBER_AMBIGUOUS' })
  await expect(openIterable(archive, { member: 'none.csv' }).read()).rejects.toMatchObject({ code: 'MEMBER_NOT_FOUND' })
  expect(await openIterable(archive, { member: '*.csv' }).read()).toEqual({ id: '1', name: 'Ada' })
})

it('refuses what is no archive, or cannot be looked into', async () => {
  await expect(listMembers({ text: '', name: 'x.csv' })).rejects.toMatchObject({ code: 'TARGET_UNSUPPORTED' })
  await expect(listMembers([archive.bytes], { codecs: ['zip'] })).rejects.toMatchObject({ code: 'TARGET_UNSUPPORTED' })
})

it('reads all members that are meant, each with its own header, as one sequence', async () => {
  const parts = {
    name: 'parts.zip',
    bytes: zipSync({
      'a.csv': Buffer.from('id,name\n1,Ada\n'),
      'b.csv': Buffer.from('id,name\n'),
      'c.csv': Buffer.from('name,id\nCid,3\n'),
      'd.jsonl': Buffer.from('{"id":4}\n'),
    }),
  }
  const handle = openIterable(parts, { members: 'all', member: '*.csv' })
  expect(await handle.readBulk()).toEqual([
    { id: '1', name: 'Ada' },
    { id: '3', name: 'Cid' },
  ])
  expect([handle.columns, handle.format, handle.codecs]).toEqual([['id', 'name'], 'csv', ['zip']])
  expect(await openIterable(parts, { members: 'all' }).readBulk()).toHaveLength(3)
  await handle.reset()
  for await (const _ of handle) break
  await expect(openIterable(parts, { members: 'all', member: 'x*' }).read()).rejects.toMatchObject({
    code: 'MEMBER_NOT_FOUND',
  })
  const bad = { name: 'bad.zip', bytes: zipSync({ 'a.csv': Buffer.from('a\n1\n'), 'b.csv': Buffer.from('a\n1,2\n') }) }
  const failing = openIterable(bad, { members: 'all' })
  expect(await failing.readBulk()).toEqual([{ a: '1' }])
  await expect(failing.readBulk()).rejects.toMatchObject({ code: 'CSV_RAGGED_RECORD', label: 'bad.zip/b.csv', line: 2 })
})

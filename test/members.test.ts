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

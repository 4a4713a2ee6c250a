/** What must and must not compile of chains and pipelines. Checked by `npm run typecheck`; never run. */
import {
  batchStage,
  filterStage,
  flatMapStage,
  mapConcurrent,
  mapStage,
  openIterable,
  pipeline,
  type Row,
  type RowChain,
  takeStage,
} from '../../src/index.ts'

interface Person {
  readonly name: string
  readonly age?: number
}
interface Adult extends Person {
  readonly age: number
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Equal<A, B>) => {}

const isAdult = (person: Person): person is Adult => (person.age ?? 0) > 17

export async function chains(): Promise<void> {
  const people = openIterable<Person>('people.csv')
  const names = people.map(person => person.name)
  same<typeof names, RowChain<string>>(true)
  const lengths = people.map(async person => person.name.length, { concurrency: 4, ordered: false })
  same<typeof lengths, RowChain<number>>(true)
  const adults = people.filter(isAdult)
  same<typeof adults, RowChain<Adult>>(true)
  const some = people.filter(person => person.name !== '')
  same<typeof some, RowChain<Person>>(true)
  const letters = people.flatMap(person => person.name.split(''))
  same<typeof letters, RowChain<string>>(true)
  const batches = people.drop(1).take(10).batch(4)
  same<typeof batches, RowChain<Person[]>>(true)
  for await (const adult of adults) same<typeof adult, Adult>(true)
  const adult = await people.find(isAdult)
  same<typeof adult, Adult | undefined>(true)
  const total = await adults.reduce((sum, { age }) => sum + age, 0)
  same<typeof total, number>(true)
  const later = await adults.reduce(async (sum, { age }) => sum + age, 0)
  same<typeof later, number>(true)
  const longest = await names.reduce((a, b) => (a.length > b.length ? a : b))
  same<typeof longest, string>(true)
  const all = await names.toArray({ signal: AbortSignal.timeout(1000) })
  same<typeof all, string[]>(true)
  const rows = await (await openIterable('x.csv')).filter(row => row.a).toArray()
  same<typeof rows, Row[]>(true)
  const mapped = mapConcurrent([1, 2], async n => `${n}`, { concurrency: 2 })
  same<typeof mapped, RowChain<string>>(true)

  // @ts-expect-error no such column
  people.map(person => person.nme)
  // @ts-expect-error no such option
  people.map(person => person, { parallel: 4 })
  // @ts-expect-error a chain is not awaitable
  names.then
}

export async function pipelines(): Promise<void> {
  const adults = filterStage(isAdult)
  const names = mapStage((person: Person) => ({ name: person.name }))
  await pipeline('people.csv', 'people.jsonl')
  await pipeline('people.csv', adults, names, 'names.jsonl', { onError: 'skip' })
  await pipeline([{ name: 'a' }], adults, names, rows => {
    same<typeof rows, { name: string }[]>(true)
  })
  await pipeline(openIterable<Person>('people.csv').take(5), batchStage<Person>(10), rows => {
    same<typeof rows, Person[][]>(true)
  })
  await pipeline(
    openIterable<Person>('people.csv'),
    mapStage(person => person.name),
    flatMapStage(name => [...name]),
    takeStage<string>(5),
    rows => {
      same<typeof rows, string[]>(true)
    },
  )
  const counted = mapStage((person: Person, _index: number, { state }: { state: { seen: number } }) => {
    state.seen++
    return person
  })
  const result = await pipeline('people.csv', counted, 'out.csv', { state: { seen: 0 } })
  same<typeof result.state, { seen: number }>(true)

  // @ts-expect-error the stage takes something else
  await pipeline([{ nme: 'a' }], names, 'names.jsonl')
  // @ts-expect-error no such option
  await pipeline('people.csv', names, 'names.jsonl', { retry: 3 })
  // @ts-expect-error nowhere to go
  await pipeline('people.csv', names)
}

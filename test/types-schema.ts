/** What is inferred from schemas, plug-ins and conversions, and what must not compile. Never run. */
import { z } from 'zod'
import {
  bulkConvert,
  type ConvertResult,
  convert,
  type DeadLetter,
  inferSchema,
  type LazyReader,
  openIterable,
  type Row,
} from '../src/index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Equal<A, B>) => {}

const Person = z.object({ id: z.string(), born: z.coerce.number(), city: z.string().optional() })

export async function schemas(): Promise<void> {
  const people = openIterable('people.csv', { schema: Person })
  same<typeof people, LazyReader<{ id: string; born: number; city?: string | undefined }>>(true)
  for await (const batch of people.batches()) same<(typeof batch)[number]['born'], number>(true)
  // What the schema gives, not what it takes.
  const ages = people.map(person => 2026 - person.born)
  for await (const age of ages) same<typeof age, number>(true)
  const rows = openIterable([{ id: 1 }], { schema: Person })
  same<typeof rows, typeof people>(true)

  // @ts-expect-error no such column
  people.map(person => person.name)
  // @ts-expect-error a schema is for reading
  openIterable('people.csv', { mode: 'w', schema: Person })
  // @ts-expect-error not a schema
  openIterable('people.csv', { schema: { id: 'string' } })
}

export async function conversions(): Promise<void> {
  const result = await convert('a.csv', 'b.jsonl', {
    filter: row => row.id,
    map: async (row, { signal }) => (signal.aborted ? row : { ...row, at: new Date() }),
    flatMap: row => [row, row],
    read: { cast: true, delimiter: ';' },
    write: { level: 9 },
  })
  same<typeof result, ConvertResult>(true)
  for await (const { status, from } of bulkConvert('*.csv', '{stem}.jsonl')) {
    same<typeof status, 'converted' | 'unchanged' | 'planned' | 'failed' | 'cancelled'>(true)
    same<typeof from, string>(true)
  }
  const schema = await inferSchema('a.csv', { rows: 'all' })
  same<typeof schema.complete, boolean>(true)
  for await (const letter of openIterable<DeadLetter>('letters.jsonl')) same<typeof letter.line, number | null>(true)
  const mapped = openIterable('a.csv').map((row: Row) => row.id)
  for await (const id of mapped) same<typeof id, unknown>(true)

  // @ts-expect-error options of reading belong into `read`
  await convert('a.csv', 'b.jsonl', { delimiter: ';' })
  // @ts-expect-error a row is an object
  await convert('a.csv', 'b.jsonl', { map: () => 1 })
  // @ts-expect-error one conversion has no concurrency of files
  await convert('a.csv', 'b.jsonl', { stopOnError: 'yes' })
}

/** What must and must not compile. Checked by `npm run typecheck`; never run. */
import type { Readable, Writable } from 'node:stream'
import {
  type LazyReader,
  type LazyWriter,
  MemoryTarget,
  openIterable,
  type Reader,
  type Row,
  type Writer,
} from '../src/index.ts'

interface Person {
  readonly id: string
  readonly name: string
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Equal<A, B>) => {}

export async function readers(stream: Readable): Promise<void> {
  const lazy = openIterable('x.csv')
  same<typeof lazy, LazyReader<Row>>(true)
  const opened = await lazy
  same<typeof opened, Reader<Row>>(true)
  const typed = openIterable<Person>('x.csv')
  for await (const person of typed) same<typeof person, Person>(true)
  for await (const batch of typed.batches()) same<typeof batch, Person[]>(true)
  const one = await typed.read()
  same<typeof one, Person | null>(true)
  const arrays = openIterable('x.csv', { header: false })
  same<typeof arrays, LazyReader<string[]>>(true)
  const objects = openIterable([{ id: 'a', name: 'b' }])
  same<typeof objects, LazyReader<{ id: string; name: string }>>(true)
  const fromStream = openIterable(stream, { format: 'jsonl', bigint: 'string' })
  same<typeof fromStream, LazyReader<Row>>(true)

  // @ts-expect-error a reader does not write
  typed.write({ id: '1', name: 'x' })
  // @ts-expect-error nor does an opened one
  opened.writeBulk([])
  // @ts-expect-error an opened reader is not awaitable
  opened.then
  // @ts-expect-error no such option
  openIterable('x.csv', { delimeter: ';' })
  // @ts-expect-error no such value
  openIterable('x.csv', { onError: 'ignore' })
  // @ts-expect-error a level is for writing
  openIterable('x.csv.gz', { level: 9 })
}

export async function writers(stream: Writable): Promise<void> {
  const lazy = openIterable('x.csv', { mode: 'w' })
  same<typeof lazy, LazyWriter<Row>>(true)
  const opened = await lazy
  same<typeof opened, Writer<Row>>(true)
  const typed = openIterable<Person>(new MemoryTarget('x.csv'), { mode: 'a', level: 9 })
  await typed.writeBulk(openIterable<Person>('y.csv'))
  await typed.writeBulk(openIterable<Person>('y.csv').batches())
  await typed.writeBulk(new Set<Person>())
  openIterable(stream, { mode: 'w', format: 'csv', escapeFormulas: true })

  // @ts-expect-error a writer does not read
  lazy.read()
  // @ts-expect-error rows have the type of the writer
  typed.write({ id: 1 })
  // @ts-expect-error a writer is not a sequence
  for await (const _ of lazy);
  // @ts-expect-error an array is not a place to write to
  openIterable([], { mode: 'w' })
  // @ts-expect-error reading options are not for writing
  openIterable('x.csv', { mode: 'w', relax: true })
}

import { CalendarDate, PreciseDate } from '../../src/index.ts'
import { formatContract } from '../../src/testing/index.ts'

formatContract({
  id: 'parquet',
  name: 'x.parquet',
  appends: false,
  binary: { emptyCode: 'PARQUET_CORRUPT', mistyped: ['orderBi', 'orderBy'] },
  samples: [
    {
      title: 'numbers, texts, booleans and nulls',
      rows: [
        { id: 1, name: 'Ada', share: 0.5, known: true, note: null },
        { id: -2, name: '', share: -1e300, known: false, note: 'a note of more than twelve bytes' },
        { id: 3, name: 'Zoë 🙂', share: Number.NaN, known: null, note: 'x' },
      ],
    },
    {
      title: 'dates, instants, integers beyond 2^53, and bytes',
      rows: [
        {
          day: new CalendarDate('2024-02-29'),
          at: new Date('2024-02-29T12:34:56.789Z'),
          big: 2n ** 60n,
          raw: new Uint8Array([0, 255]),
        },
        { day: null, at: new PreciseDate(0, 123_000), big: 2n ** 61n, raw: new Uint8Array() },
      ],
    },
    {
      title: 'lists and structs',
      rows: [
        { tags: ['a', 'b'], place: { lat: 1.5, name: 'here' }, items: [{ sku: 'x', count: 1 }] },
        { tags: [], place: { lat: -2.5, name: null }, items: [] },
        {
          tags: null,
          place: null,
          items: [
            { sku: 'y', count: 2 },
            { sku: 'z', count: 3 },
          ],
        },
      ],
    },
  ],
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sniffDialect } from '../../src/sniff/dialect.ts'
import { randomTable } from './random-table.ts'

const RUNS = Number(process.env.OPEN_ITERABLE_PROPERTY_RUNS ?? 1500)

describe('sniffing a dialect', () => {
  it('finds the dialect that a random table was written in', () => {
    fc.assert(
      fc.property(randomTable, table => {
        const found = sniffDialect(table.text, true)!.dialect
        expect(found).toMatchObject({
          delimiter: table.delimiter,
          columnCount: table.columns,
          recordDelimiter: table.recordDelimiter,
          header: table.header,
          fromLine: table.fromLine,
        })
        if (table.quoted) expect(found.quote).toBe(table.quote)
        if (table.escaped) expect(found.escape).toBe(table.backslash ? '\\' : table.quote)
      }),
      { seed: 3, numRuns: RUNS },
    )
  })

  it('takes what is given, and looks for the rest', () => {
    const text = 'a,b;c,d\n1,2;3,4\n5,6;7,8\n9,1;2,3\n'
    expect(sniffDialect(text, true, { delimiter: ';' })!.dialect).toMatchObject({ delimiter: ';', columnCount: 2 })
    expect(sniffDialect(text, true, { delimiter: ',' })!.dialect).toMatchObject({ delimiter: ',', columnCount: 3 })
    expect(sniffDialect(text, true, { header: false })!.dialect.header).toBe(false)
    expect(sniffDialect(text, true, { fromLine: 2 })!.dialect).toMatchObject({ fromLine: 2, header: false })
    const quoted = '"a";"b"\n"1";"2"\n'
    expect(sniffDialect(quoted, true, { quote: null })!.dialect).toMatchObject({ quote: null })
    expect(sniffDialect(quoted, true, { quote: "'" })!.dialect).toMatchObject({ quote: "'" })
    expect(sniffDialect('% a\nx,y\n1,2\n', true, { comment: '%' })!.dialect).toMatchObject({
      comment: '%',
      columnCount: 2,
    })
  })

  it('counts lines as the CSV reader does: quoted line ends and blank lines too', () => {
    const { dialect } = sniffDialect('title\r\n\r\n\r\nid,text\r\n1,"a\r\nb"\r\n2,c\r\n', true)!
    expect(dialect).toMatchObject({ fromLine: 4, columnCount: 2, recordDelimiter: '\r\n' })
  })

  it('does not judge by the last row of a cut sample', () => {
    const text = 'id,name,n\n1,Ada,36\n2,Grace,85\n3,Al'
    expect(sniffDialect(text, false)!.evidence[0]).toBe('3 of 3 rows have 3 fields with ,')
    expect(sniffDialect(text, true)!.evidence[0]).toBe('3 of 4 rows have 3 fields with ,')
  })

  it('reads beyond what it scores', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => `${i},name ${i}`)
    const { rows: count, regular } = sniffDialect(`id,name\n${rows.join('\n')}\n`, true)!
    expect([count, regular]).toEqual([5001, 5001])
  })

  it('is undecided about nothing', () => {
    for (const text of ['', '\n', '\r\n\r\n', '   \n']) expect(sniffDialect(text, true)).toBeUndefined()
  })
})

import { describe, expect, it, vi } from 'vitest'
import { checkOptions } from '../../src/core/options.ts'
import { CSV_WRITE_OPTIONS, type CsvWriteOptions } from '../../src/formats/csv/write-options.ts'
import { failure, writeCsv } from './writing.ts'

const ENGINES = ['native', 'csv-stringify'] as const

describe.each(ENGINES)('CSV writer, engine %s', engine => {
  const write = (rows: readonly unknown[], options: CsvWriteOptions = {}, how = {}) =>
    writeCsv(rows, { engine, ...options }, how)

  it('writes a header and records, and says which engine ran', async () => {
    const written = await write([
      { name: 'Ada', born: 1815 },
      { name: 'Grace', born: 1906 },
    ])
    expect(written.text).toBe('name,born\nAda,1815\nGrace,1906\n')
    expect(written.engine).toBe(engine)
    expect(written.columns).toEqual(['name', 'born'])
  })

  describe('values', () => {
    const value = async (given: unknown, options: CsvWriteOptions = {}) =>
      (await write([[given, 'x']], { header: false, ...options })).text.replace(/,x\n$/, '')

    it.each([
      ['text', 'text'],
      ['', ''],
      [null, ''],
      [undefined, ''],
      [0, '0'],
      [-0, '0'],
      [1.5, '1.5'],
      [-12.25, '-12.25'],
      [1e21, '1e+21'],
      [1e-7, '1e-7'],
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [Number.NEGATIVE_INFINITY, '-Infinity'],
      [123456789012345678901234567890n, '123456789012345678901234567890'],
      [true, 'true'],
      [false, 'false'],
      [new Date(0), '1970-01-01T00:00:00.000Z'],
      [Uint8Array.of(1, 2, 255), 'AQL/'],
      [Buffer.from('hi'), 'aGk='],
      [[1, 'a'], '"[1,""a""]"'],
      [{ a: 1n, b: new Date(0), c: undefined }, '"{""a"":1,""b"":""1970-01-01T00:00:00.000Z""}"'],
      [{}, '{}'],
      [new URL('https://example.org/?a,b'), '"https://example.org/?a,b"'],
      [{ toJSON: () => null }, ''],
      [' padded ', ' padded '],
      ['a,b', '"a,b"'],
      ['a"b', '"a""b"'],
      ['a\nb', '"a\nb"'],
      ['a\rb', '"a\rb"'],
      ['é', 'é'],
      ['日本', '日本'],
      ['😀', '😀'],
      ['😀,', '"😀,"'],
      ['\ufeffa', '"\ufeffa"'],
      ['a\ufeff', 'a\ufeff'],
      ['x'.repeat(200), 'x'.repeat(200)],
      [`${'é'.repeat(200)}"`, `"${'é'.repeat(200)}"""`],
      ['😀'.repeat(100), '😀'.repeat(100)],
    ])('writes %o', async (given, expected) => {
      expect(await value(given)).toBe(expected)
    })

    it.each([
      [() => 1, 'a function has no form as a field'],
      [Symbol('s'), 'a symbol has no form as a field'],
      [new Date(Number.NaN), 'it is an invalid Date'],
      [new Map([[1, 2]]), 'a Map has no JSON form'],
      [{ deep: new Set([1]) }, 'a Set has no JSON form'],
      ['\ud800', 'half of a surrogate pair has no UTF-8 form'],
      [`${'x'.repeat(200)}\udc00`, 'half of a surrogate pair has no UTF-8 form'],
      [`"${'x'.repeat(200)}\udc00`, 'half of a surrogate pair has no UTF-8 form'],
    ])('refuses %o, and says where', async (given, reason) => {
      const error = await failure(
        write([
          { id: 1, odd: 'fine' },
          { id: 2, odd: given },
        ]),
      )
      expect(error).toMatchObject({ code: 'CSV_UNWRITABLE', record: 2, label: 'out.file' })
      expect(error.message).toContain(`out.file [CSV_UNWRITABLE] row 2, column "odd" cannot be written: ${reason}`)
    })

    it('refuses a circle', async () => {
      const circle: Record<string, unknown> = {}
      circle.self = circle
      expect((await failure(write([{ circle }]))).message).toContain(
        'row 1, column "circle" cannot be written: it is circular',
      )
    })

    it('names what a row itself throws', async () => {
      const cause = new Error('no luck')
      const row = {
        a: 1,
        get b() {
          throw cause
        },
      }
      const error = await failure(write([row]))
      expect(error).toMatchObject({ code: 'CSV_UNWRITABLE', cause, record: 1 })
      expect(error.message).toContain('row 1, column "b"')
    })
  })

  describe('columns', () => {
    it('takes the keys of the first batch, in order of appearance', async () => {
      const written = await write([{ a: 1 }, { b: 2, a: 3 }, { c: 4 }])
      expect(written.text).toBe('a,b,c\n1,,\n3,2,\n,,4\n')
    })

    it('takes what is suggested, also where names look like integers', async () => {
      const written = await write([{ 2: 'x', 1: 'y' }], {}, { suggest: ['2', '1'] })
      expect(written.text).toBe('2,1\nx,y\n')
    })

    it('prefers the option to a suggestion', async () => {
      const written = await write([{ a: 1, b: 2 }], { columns: ['b', 'a'] }, { suggest: ['a', 'b'] })
      expect(written.text).toBe('b,a\n2,1\n')
    })

    it('refuses a new column, naming it and the nearest one', async () => {
      const error = await failure(write([{ city: 'Rome' }, { ctiy: 'Oslo' }], {}, { batchSize: 1 }))
      expect(error).toMatchObject({ code: 'CSV_UNKNOWN_COLUMN', record: 2, found: 'ctiy', expected: 'city' })
      expect(error.message).toMatch(
        /row 2 has the column "ctiy", which the output does not have; did you mean "city"\?/,
      )
    })

    it('sees a new column that stands where another is missing', async () => {
      const rows = [...Array.from({ length: 300 }, (_, i) => ({ a: i, b: i })), { a: 1, c: 2 }]
      expect(await failure(write(rows, { columns: ['a', 'b'] }))).toMatchObject({
        code: 'CSV_UNKNOWN_COLUMN',
        record: 301,
        found: 'c',
      })
    })

    it.each([[{ c: 1, a: 1, b: 1 }], [{ a: 1, b: 1, c: 1 }], [{ a: 1, c: undefined }], [{ c: 1 }]])(
      'sees the new column of %o',
      async row => {
        const rows = [{ a: 0, b: 0 }, { a: 0 }, { b: 0, a: 0 }, row]
        expect(await failure(write(rows, { columns: ['a', 'b'] }))).toMatchObject({ record: 4, found: 'c' })
      },
    )

    it('sees a new column behind getters and inherited members', async () => {
      class Person {
        a = 1
        c = 2
        get b() {
          return 3
        }
      }
      expect(await failure(write([new Person()], { columns: ['a', 'b'] }))).toMatchObject({ found: 'c' })
      expect((await write([new Person()], { columns: ['a', 'b', 'c'] })).text).toBe('a,b,c\n1,3,2\n')
    })

    it('drops them by option', async () => {
      const written = await write([{ a: 1, x: 2 }, { x: 3 }], { columns: ['a', 'b'], extraColumns: 'drop' })
      expect(written.text).toBe('a,b\n1,\n,\n')
    })

    it('writes __proto__, constructor and toString as the data they are', async () => {
      const row = JSON.parse('{"__proto__":"p","constructor":"c","toString":"t"}')
      const rows = [row, Object.create(null), {}, ...Array.from({ length: 200 }, () => row)]
      const written = await write(rows)
      expect(written.text).toBe(`__proto__,constructor,toString\np,c,t\n,,\n,,\n${'p,c,t\n'.repeat(200)}`)
    })

    it('writes names that only quotes keep', async () => {
      const names = ['a,b', 'say "hi"', 'two\nlines', "it's", '`$1`', '\u2028', '\\', 'x.y[0]']
      const row = Object.fromEntries(names.map((name, i) => [name, i]))
      const written = await write(Array.from({ length: 150 }, () => row))
      const header = '"a,b","say ""hi""","two\nlines",it\'s,`$1`,\u2028,\\,x.y[0]\n'
      expect(written.text).toBe(header + '0,1,2,3,4,5,6,7\n'.repeat(150))
    })

    it('writes thousands of columns', async () => {
      const row = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`c${i}`, i]))
      const written = await write([row, row, ...Array.from({ length: 110 }, () => row)])
      expect(written.text.split('\n')[112]).toBe(Object.values(row).join(','))
    })

    it('writes a header without rows where columns are known', async () => {
      expect((await write([], { columns: ['a', 'b'] })).text).toBe('a,b\n')
      expect((await write([], {}, { suggest: ['a', 'b'] })).text).toBe('a,b\n')
      expect((await write([])).text).toBe('')
    })
  })

  describe('arrays', () => {
    it('are written by position, under the columns that are given', async () => {
      expect(
        (
          await write(
            [
              [1, 2],
              [null, 'x'],
            ],
            { columns: ['a', 'b'] },
          )
        ).text,
      ).toBe('a,b\n1,2\n,x\n')
    })

    it('have no header by themselves', async () => {
      const written = await write([
        [1, 2],
        [3, 4],
      ])
      expect(written.text).toBe('1,2\n3,4\n')
      expect(written.columns).toBeUndefined()
    })

    it.each([
      [[['a', 'b'], ['c']], 'row 2 has 1 field, expected 2'],
      [
        [
          ['a', 'b'],
          ['c', 'd', 'e'],
        ],
        'row 2 has 3 fields, expected 2',
      ],
    ])('must be of one length: %o', async (rows, message) => {
      const error = await failure(write(rows))
      expect(error).toMatchObject({ code: 'CSV_RAGGED_RECORD', record: 2 })
      expect(error.message).toContain(message)
    })

    it('must have a field', async () => {
      expect(await failure(write([[]]))).toMatchObject({ code: 'CSV_UNWRITABLE', record: 1 })
    })

    it('cannot be followed by objects where there are no names', async () => {
      const error = await failure(write([[1], { a: 1 }], {}, { batchSize: 1 }))
      expect(error).toMatchObject({ code: 'ROW_INVALID', record: 2 })
      expect(error.message).toContain('row 2 is an object, but the output has no column names')
    })
  })

  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['text', 'a string'],
    [5, 'a number'],
    [() => {}, 'a function'],
    [new Date(), 'a Date'],
    [Uint8Array.of(1), 'bytes'],
    [new Map([['a', 1]]), 'a Map'],
    [new Error('x'), 'an Error'],
  ])('refuses %o as a row', async (row, found) => {
    const error = await failure(write([{ a: 1 }, row]))
    expect(error).toMatchObject({ code: 'ROW_INVALID', record: 2, found })
    expect(error.message).toContain(`row 2 is ${found}, expected an object or an array`)
    expect(await failure(write([{ a: 1 }, row], { extraColumns: 'drop' }))).toMatchObject({ code: 'ROW_INVALID' })
  })

  it('refuses a row without columns while none are known', async () => {
    expect(await failure(write([{}]))).toMatchObject({ code: 'CSV_UNWRITABLE', record: 1 })
    const written = await write([{}, { a: 1 }], {}, { batchSize: 1, skip: true })
    expect(written.text).toBe('a\n1\n')
    expect(written.bad.length).toBe(1)
  })

  it('leaves a bad row out wholly, and goes on', async () => {
    const bad = { a: 'x'.repeat(300_000), b: Symbol('s') }
    const rows = [{ a: 1, b: 2 }, bad, { a: 3, b: 4, c: 5 }, 'text', { a: 6, b: 7 }]
    const written = await write(rows, { columns: ['a', 'b'] }, { skip: true })
    expect(written.text).toBe('a,b\n1,2\n6,7\n')
    expect(written.bad.map(({ error }) => (error as Error & { record: number }).record)).toEqual([2, 3, 4])
    expect(written.bad.map(({ row }) => row)).toEqual([bad, rows[2], 'text'])
  })

  describe('options', () => {
    it.each<[string, CsvWriteOptions, string]>([
      ['delimiter', { delimiter: '\t' }, 'a\tb\nx,y\t"q""q"\n\t\n'],
      ['a delimiter beyond ASCII', { delimiter: '§' }, 'a§b\nx,y§"q""q"\n§\n'],
      ['quote', { quote: "'" }, "a,b\n'x,y',q\"q\n,\n"],
      ['a quote beyond ASCII', { quote: '“' }, 'a,b\n“x,y“,q"q\n,\n'],
      ['escape', { escape: '\\' }, 'a,b\n"x,y","q\\"q"\n,\n'],
      ['recordDelimiter', { recordDelimiter: '\r\n' }, 'a,b\r\n"x,y","q""q"\r\n,\r\n'],
      ['recordDelimiter by name', { recordDelimiter: 'mac' }, 'a,b\r"x,y","q""q"\r,\r'],
      ['header', { header: false }, '"x,y","q""q"\n,\n'],
      ['bom', { bom: true }, '\ufeffa,b\n"x,y","q""q"\n,\n'],
      ['nullText', { nullText: 'NULL' }, 'a,b\n"x,y","q""q"\n,NULL\n'],
      ['quoted', { quoted: true }, '"a","b"\n"x,y","q""q"\n"",\n'],
      ['quotedString', { quotedString: true }, '"a","b"\n"x,y","q""q"\n"",\n'],
      ['quotedEmpty', { quotedEmpty: true }, 'a,b\n"x,y","q""q"\n"",\n'],
      ['quoted without quotedEmpty', { quoted: true, quotedEmpty: false }, '"a","b"\n"x,y","q""q"\n,\n'],
    ])('%s', async (_, options, expected) => {
      const rows = [
        { a: 'x,y', b: 'q"q' },
        { a: '', b: null },
      ]
      expect((await write(rows, options)).text).toBe(expected)
    })

    it('quoted takes all values but null; quotedString takes strings', async () => {
      const row = [1, 2n, true, new Date(0), 'x', null, 0.1]
      expect((await write([row], { quoted: true })).text).toBe('"1","2","true","1970-01-01T00:00:00.000Z","x",,"0.1"\n')
      expect((await write([row], { quotedString: true })).text).toBe('1,2,true,1970-01-01T00:00:00.000Z,"x",,0.1\n')
    })

    it('quotes what equals the text of null', async () => {
      const rows = [
        ['NULL', null, 'NULLS'],
        ['-1', -1, 0],
      ]
      expect((await write(rows, { nullText: 'NULL' })).text).toBe('"NULL",NULL,NULLS\n-1,-1,0\n')
      expect((await write(rows, { nullText: '-1' })).text).toBe('NULL,-1,NULLS\n"-1","-1",0\n')
    })

    it('quotes an escape that a quote does not stand for', async () => {
      expect((await write([['a\\b', 'c']], { escape: '\\' })).text).toBe('"a\\\\b",c\n')
    })

    it('quotes numbers and dates that hold the delimiter', async () => {
      expect((await write([[-1, 1.5, 12]], { delimiter: '-' })).text).toBe('"-1"-1.5-12\n')
      expect((await write([[1.5, 12]], { delimiter: '.' })).text).toBe('"1.5".12\n')
      expect((await write([[new Date(0), 1]], { delimiter: 'T' })).text).toBe('"1970-01-01T00:00:00.000Z"T1\n')
    })

    it.each([[null], [undefined], ['']])('writes a lone %o so that its line is not empty', async value => {
      expect((await write([[value], ['x']])).text).toBe('""\nx\n')
      expect((await write([{ a: value }])).text).toBe('a\n""\n')
    })

    it('quotes an empty name of a single column, and a name that begins with a byte order mark', async () => {
      expect((await write([{ '': 1 }])).text).toBe('""\n1\n')
      expect((await write([{ '\ufeffa': 1 }])).text).toBe('"\ufeffa"\n1\n')
    })

    it.each([
      ['a,b', {}],
      ['a\nb', {}],
      [`${'x'.repeat(100)},`, {}],
      ['\ufeffa', {}],
      [new Date(0), { delimiter: ':' }],
    ])('without quotes refuses %o', async (value, options) => {
      const error = await failure(write([[1, value]], { quote: null, ...options }))
      expect(error).toMatchObject({ code: 'CSV_UNWRITABLE', record: 1 })
      expect(error.message).toContain('row 1, field 2 cannot be written:')
    })

    it('without quotes writes quotes as they are, and refuses an empty line and a name with a delimiter', async () => {
      expect((await write([['a"b', 'c']], { quote: null })).text).toBe('a"b,c\n')
      expect((await failure(write([[null]], { quote: null }))).message).toContain('it would be an empty line')
      const error = await failure(write([{ 'a,b': 1 }], { quote: null }, { skip: true }))
      expect(error).toMatchObject({ code: 'CSV_UNWRITABLE', record: undefined })
      expect(error.message).toContain('the header cannot be written')
    })

    it('escapeFormulas guards text, not numbers', async () => {
      const formulas = ['=1+1', '+1', '-1', '@x', '\tx', '\rx', '\nx', '\0x', '＝1', '＋1', '－1', '＠x']
      const written = await write(
        [[...formulas, `=${'x'.repeat(200)}`, '=a,"b"', -5, -5n, 'a=1', '', null, new Date(-1e15)]],
        { escapeFormulas: true },
      )
      expect(written.text).toBe(
        [
          "'=1+1,'+1,'-1,'@x,'\tx",
          '"\'\rx","\'\nx"',
          "'\0x,'＝1,'＋1,'－1,'＠x",
          `'=${'x'.repeat(200)}`,
          '"\'=a,""b"""',
          '-5,-5,a=1,,',
          "'-029719-04-05T22:13:20.000Z\n",
        ].join(','),
      )
      expect((await write([{ '=x': 1 }], { escapeFormulas: true })).text).toBe("'=x\n1\n")
      expect((await write([['=x']], { escapeFormulas: true, quoted: true })).text).toBe('"\'=x"\n')
    })
  })

  describe('appending', () => {
    const appending = { appending: true, suggest: ['a', 'b'] }

    it('writes neither header nor byte order mark, in the columns of the file', async () => {
      expect((await write([{ b: 1, a: 2 }], { bom: true }, appending)).text).toBe('2,1\n')
      expect((await write([{ a: 2 }], { columns: ['a', 'b'] }, appending)).text).toBe('2,\n')
      expect((await write([], {}, appending)).text).toBe('')
    })

    it('refuses a row with another column', async () => {
      expect(await failure(write([{ a: 1, c: 2 }], {}, appending))).toMatchObject({
        code: 'CSV_UNKNOWN_COLUMN',
        found: 'c',
        record: 1,
      })
    })

    it('refuses columns that are not those of the file', async () => {
      const error = await failure(write([], { columns: ['b', 'a'] }, appending))
      expect(error).toMatchObject({ code: 'CSV_APPEND_MISMATCH', expected: 'a, b', found: 'b, a' })
      expect(error.message).toContain('out.file [CSV_APPEND_MISMATCH]')
    })
  })
})

describe('CSV writer, code generation', () => {
  const names = ['id', 'text', '__proto__', 'constructor', "o'r", 'wide']
  const rows = Array.from({ length: 400 }, (_, i) => {
    const row = { id: i, text: `t${i}`, "o'r": i % 2 === 0, wide: 'é"' }
    return i % 3 === 0 ? Object.defineProperty(row, '__proto__', { value: `p${i}`, enumerable: true }) : row
  })

  it('is not needed: the same bytes without it', async () => {
    const expected = await writeCsv(rows, { columns: names })
    const refused = vi.fn(function refuse() {
      throw new EvalError('Code generation from strings disallowed for this context')
    })
    vi.stubGlobal('Function', refused)
    try {
      expect((await writeCsv(rows, { columns: names })).text).toBe(expected.text)
      expect(refused).toHaveBeenCalledOnce()
    } finally {
      vi.unstubAllGlobals()
    }
    expect(expected.text.split('\n').slice(0, 3)).toEqual([
      "id,text,__proto__,constructor,o'r,wide",
      '0,t0,p0,,true,"é"""',
      '1,t1,,,false,"é"""',
    ])
  })
})

describe('CSV writer, engine by options', () => {
  it.each<[CsvWriteOptions]>([
    [{ delimiter: '||' }],
    [{ quote: '««', escape: '\\' }],
    [{ recordDelimiter: '\u001e' }],
    [{ recordDelimiter: 'unicode' }],
    [{ cast: {} }],
    [{ quotedMatch: 'x' }],
    [{ delimiter: '😀' }],
  ])('runs csv-stringify for %o, and native refuses it', async options => {
    expect((await writeCsv([{ a: 1 }], options)).engine).toBe('csv-stringify')
    expect(await failure(writeCsv([{ a: 1 }], { ...options, engine: 'native' }))).toMatchObject({
      code: 'OPTION_INVALID',
    })
  })

  it('writes with marks of several characters', async () => {
    const rows = [
      { a: 'x|y', b: 'x||y' },
      { a: 'x|', b: null },
    ]
    const written = await writeCsv(rows, { delimiter: '||', recordDelimiter: ';;\n' })
    expect(written.text).toBe('a||b;;\nx|y||"x||y";;\n"x|"||;;\n')
  })

  it('casts by type, and tells the casts where they are', async () => {
    const seen: unknown[] = []
    const written = await writeCsv([{ n: 1.5, d: new Date(0), b: true, s: 'x', o: [1], i: 2n, z: null }], {
      cast: {
        number: (value, context) => {
          seen.push(context)
          return value.toFixed(2)
        },
        date: value => value.toISOString().slice(0, 10),
        boolean: value => (value ? 'yes' : 'no'),
        string: (value, { header }) => (header ? value.toUpperCase() : { value, quoted: true }),
        object: () => null,
        bigint: value => `${value}n`,
      },
    })
    expect(written.text).toBe('N,D,B,S,O,I,Z\n1.50,1970-01-01,yes,"x",,2n,\n')
    expect(seen).toEqual([{ column: 'n', header: false, index: 0, records: 0 }])
  })

  it('quotes what matches quotedMatch', async () => {
    const written = await writeCsv([['abc', 'b', 'xyz', 1]], { quotedMatch: ['ab', /^x/g] })
    expect(written.text).toBe('"abc",b,"xyz",1\n')
  })

  it('tells of a cast that gives no text', async () => {
    for (const number of [() => 5, () => ({ value: 5 }), () => [1], () => ({})]) {
      const error = await failure(writeCsv([['x', 1]], { cast: { number: number as never } }))
      expect(error).toMatchObject({ code: 'CSV_UNWRITABLE', record: 1 })
      expect(error.message).toContain('row 1, field 2 cannot be written: its cast function gave no text')
    }
  })

  it('tells of what csv-stringify refuses', async () => {
    const cast = { number: () => ({ value: '1', escape: 'many' }) }
    const error = await failure(writeCsv([{ a: 1 }], { cast }))
    expect(error).toMatchObject({ code: 'CSV_PEER_FAILED', record: 1, label: 'out.file' })
    expect(error.cause).toBeInstanceOf(Error)
    expect(error.message).toContain('csv-stringify refused it')
  })
})

describe('CSV write options', () => {
  it.each<[CsvWriteOptions, RegExp]>([
    [{ delimiter: '"' }, /delimiter.*does not contain the quote/],
    [{ delimiter: '\n' }, /delimiter.*without line ends/],
    [{ quote: '\ufeff' }, /quote.*byte order marks/],
    [{ delimiter: '\ud800' }, /delimiter.*lone surrogates/],
    [{ escape: ',' }, /does not contain the/],
    [{ quote: '""' }, /escape/],
    [{ delimiter: '|', recordDelimiter: '||' }, /does not contain the/],
    [{ quote: null, quoted: true }, /quote: null/],
    [{ quote: null, quotedMatch: 'x' }, /quote: null/],
  ])('refuses %o', async (options, message) => {
    const error = await failure(writeCsv([], options))
    expect(error).toMatchObject({ code: 'OPTION_INVALID' })
    expect(error.message).toMatch(message)
  })

  it.each([
    ['delimiter', ''],
    ['quote', true],
    ['escape', 'ab'],
    ['columns', []],
    ['columns', ['a', 'a']],
    ['cast', { nubmer: () => '' }],
    ['cast', { number: 1 }],
    ['quotedMatch', [1]],
    ['engine', 'fast'],
    ['extraColumns', 'keep'],
  ])('the table refuses %s: %o', (name, value) => {
    expect(() => checkOptions({ [name]: value }, [CSV_WRITE_OPTIONS], 'writing csv')).toThrow(`option ${name}`)
  })
})

/** Schemas as code: a TypeScript interface, or a zod schema. */
import type { ColumnSchema, Schema, SchemaType } from './core/schema.ts'

type Described = Omit<ColumnSchema, 'name' | 'source'>

const TS_TYPES: Record<SchemaType, string> = {
  integer: 'number',
  bigint: 'bigint',
  number: 'number',
  decimal: 'string',
  boolean: 'boolean',
  date: 'Date',
  timestamp: 'Date',
  json: 'unknown',
  text: 'string',
  binary: 'Uint8Array',
  null: 'null',
  object: 'Record<string, unknown>',
  array: 'unknown[]',
}

const ZOD_TYPES: Record<SchemaType, string> = {
  integer: 'z.int()',
  bigint: 'z.bigint()',
  number: 'z.number()',
  decimal: 'z.string()',
  boolean: 'z.boolean()',
  date: 'z.date()',
  timestamp: 'z.date()',
  json: 'z.unknown()',
  text: 'z.string()',
  binary: 'z.instanceof(Uint8Array)',
  null: 'z.null()',
  object: 'z.record(z.string(), z.unknown())',
  array: 'z.array(z.unknown())',
}

/** An interface of the rows, as the readers of this library give them: `export interface Row { … }`. */
export function toTypeScript(schema: Schema, name = 'Row'): string {
  return `export interface ${identifier(name)} ${tsObject(schema.columns, '')}\n`
}

function tsObject(columns: readonly ColumnSchema[], indent: string): string {
  const inner = `${indent}  `
  const lines = columns.map(column => {
    const optional = column.optional === true ? '?' : ''
    return `${inner}${key(column.name)}${optional}: ${tsType(column, inner)}\n`
  })
  return `{\n${lines.join('')}${indent}}`
}

function tsType({ type, nullable, fields, items }: Described, indent: string): string {
  let text = TS_TYPES[type]
  if (type === 'object' && fields !== undefined) text = tsObject(fields, indent)
  if (type === 'array' && items !== undefined) {
    const item = tsType(items, indent)
    text = /[|\s]/.test(item) ? `(${item})[]` : `${item}[]`
  }
  return nullable && type !== 'null' && type !== 'json' ? `${text} | null` : text
}

/** A zod schema of the rows, as code: `export const Row = z.object({ … })`. For zod 4. */
export function toZod(schema: Schema, name = 'Row'): string {
  const id = identifier(name)
  return `import { z } from 'zod'

export const ${id} = ${zodObject(schema.columns, '')}
export type ${id} = z.infer<typeof ${id}>
`
}

function zodObject(columns: readonly ColumnSchema[], indent: string): string {
  const inner = `${indent}  `
  const lines = columns.map(column => {
    const optional = column.optional === true ? '.optional()' : ''
    return `${inner}${key(column.name)}: ${zodType(column, inner)}${optional},\n`
  })
  return `z.object({\n${lines.join('')}${indent}})`
}

function zodType({ type, nullable, fields, items }: Described, indent: string): string {
  let text = ZOD_TYPES[type]
  if (type === 'object' && fields !== undefined) text = zodObject(fields, indent)
  if (type === 'array' && items !== undefined) text = `z.array(${zodType(items, indent)})`
  return nullable && type !== 'null' && type !== 'json' ? `${text}.nullable()` : text
}

/** A name as a key of an object literal or type; `__proto__` as an object's own key has to be computed. */
const key = (name: string): string =>
  name === '__proto__' ? "['__proto__']" : /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name)

const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

const RESERVED =
  /^(?:any|as|async|await|boolean|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|number|object|package|private|protected|public|return|static|string|super|switch|symbol|this|throw|true|try|typeof|undefined|unknown|var|void|while|with|yield|never|bigint)$/

/** `flight records-2026` → `FlightRecords2026`. */
function identifier(name: string): string {
  const words = name.split(/[^\p{L}\p{N}_$]+/u).filter(word => word !== '')
  const joined = words.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  const id = /^[\p{L}_$]/u.test(joined) ? joined : `Row${joined}`
  return RESERVED.test(id) ? `${id}Row` : id
}

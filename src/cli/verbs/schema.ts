/** `schema`: the columns and their types, for people or as code. */
import { toJsonSchema, toTableSchema } from '../../core/schema.ts'
import { inferSchema } from '../../infer-schema.ts'
import { toTypeScript, toZod } from '../../schema-code.ts'
import { type Call, UsageError } from '../declare.ts'
import { readOptions } from '../flags.ts'
import { showRows } from '../show.ts'

const FORMS = ['ts', 'zod', 'json-schema', 'table-schema'] as const

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const [target] = positionals as [string]
  const wanted = FORMS.filter(form => flags.switch(form) === true)
  if (wanted.length > 1)
    throw new UsageError(`one form at a time, not ${wanted.map(form => `--${form}`).join(' and ')}`)
  const { cast: _, onWiden: __, scan: ___, mode: ____, ...reading } = readOptions(flags)
  const schema = await inferSchema(target, { ...reading, rows: rowsOf(flags.text('rows')), signal })
  const name = flags.text('name') ?? /([^/]+?)(?:\.[^/]*)?$/.exec(target)?.[1] ?? 'Row'
  const form = wanted[0]
  if (form === 'ts') await terminal.out(toTypeScript(schema, name))
  else if (form === 'zod') await terminal.out(toZod(schema, name))
  else if (form === 'json-schema') await terminal.out(`${JSON.stringify(toJsonSchema(schema), null, 2)}\n`)
  else if (form === 'table-schema') await terminal.out(`${JSON.stringify(toTableSchema(schema), null, 2)}\n`)
  else if (terminal.json) await terminal.out(`${JSON.stringify(schema)}\n`)
  else {
    const lines = schema.columns.map(({ name: column, type, nullable, source }) => ({
      column,
      type,
      nulls: nullable ? 'yes' : '',
      source,
    }))
    await showRows(lines, { columns: ['column', 'type', 'nulls', 'source'] }, terminal)
  }
  if (!schema.complete) terminal.note(`by the first ${schema.rows} rows; --rows all looks at all of them`)
}

function rowsOf(text: string | undefined): number | 'all' | undefined {
  if (text === undefined || text === 'all') return text
  const rows = Number(text)
  if (!Number.isInteger(rows) || rows < 1) throw new UsageError(`--rows takes a number from 1, or all, not ${text}`)
  return rows
}

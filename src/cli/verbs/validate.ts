/** `validate`: the rows that are not what a schema asks for. */
import { readFile } from 'node:fs/promises'
import { validate } from '../../query/index.ts'
import type { BadRow } from '../../query/validate.ts'
import { type Call, PartialFailure, UsageError } from '../declare.ts'
import { readOptions } from '../flags.ts'
import { printable } from '../printable.ts'
import { jsonText } from '../show.ts'
import { cellOf } from '../table.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const [target] = positionals as [string]
  const path = flags.text('schema')
  const result = await validate(target, {
    schema: path === undefined ? undefined : await schemaFrom(path),
    read: readOptions(flags),
    maxErrors: flags.number('max-errors'),
    deadLetters: flags.text('dead-letters'),
    signal,
    // Bad rows are data: they are written as they come. A pipe that takes no more ends the run by its signal.
    onBadRow: bad => void terminal.out(`${terminal.json ? jsonText(bad) : lineOf(bad)}\n`).catch(() => {}),
  })
  const { valid, rowsValid, rowsBad, byPath, byCode, inferred } = result
  const counts = [...Object.entries(byPath), ...Object.entries(byCode).filter(([code]) => code !== 'SCHEMA_INVALID')]
  const most = counts.sort(([, a], [, b]) => b - a).slice(0, 5)
  terminal.note(
    [
      `${rowsValid.toLocaleString('en')} good, ${rowsBad.toLocaleString('en')} bad`,
      ...(inferred ? [', by what the first rows show'] : []),
      ...(most.length === 0
        ? []
        : [`: ${most.map(([what, count]) => `${printable(what) || 'row'} ${count}`).join(', ')}`]),
    ].join(''),
  )
  if (!valid) throw new PartialFailure()
}

function lineOf({ label, line, record, code, message, issues }: BadRow): string {
  if (issues.length === 0) return printable(message)
  const place = [label, line].filter(part => part !== undefined).join(':')
  const said = issues.map(({ path, expected, found }) => {
    const value =
      found === undefined ? 'nothing' : typeof found === 'string' ? JSON.stringify(found) : cellOf(found).text
    return `${path === '' ? 'the row' : path} ${expected}, found ${value || 'null'}`
  })
  return printable(`${place} [${code}] record ${record}: ${said.join('; ')}`)
}

async function schemaFrom(path: string): Promise<Record<string, unknown> | boolean> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--schema ${path} cannot be read: ${(error as Error).message}`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`--schema ${path} is not JSON: ${(error as Error).message}`)
  }
}

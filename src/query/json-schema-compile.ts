/** JSON Schemas at work, by ajv. */
import type { ErrorObject } from 'ajv'
import { CalendarDate } from '../core/calendar-date.ts'
import { createError } from '../core/errors.ts'
import { plainBoolean, type ValueParser, valueParser } from '../core/values.ts'
import type { StandardIssue, StandardResult } from '../standard-schema.ts'

type JsonSchema = Readonly<Record<string, unknown>>

/** A function that checks rows. Throws PEER_MISSING, and OPTION_INVALID for a schema that is wrong. */
export async function compileJsonSchema(
  schema: JsonSchema | boolean,
  coerce: boolean,
): Promise<(value: unknown) => StandardResult<unknown>> {
  const check = await compile(schema)
  const coerced = coerce && typeof schema === 'object' ? coercion(schema) : undefined
  return given => {
    const value = coerced === undefined ? given : coerced(given)
    if (check(jsonForm(value))) return { value }
    return { issues: (check.errors ?? []).filter(isOwn).map(issueOf) }
  }
}

async function compile(schema: JsonSchema | boolean) {
  const dialect = typeof schema === 'object' ? String(schema.$schema ?? '') : ''
  const { Ajv } = await peer('ajv', () =>
    /draft-0[67]/.test(dialect)
      ? import('ajv')
      : /2019-09/.test(dialect)
        ? import('ajv/dist/2019.js').then(({ Ajv2019 }) => ({ Ajv: Ajv2019 }))
        : import('ajv/dist/2020.js').then(({ Ajv2020 }) => ({ Ajv: Ajv2020 })),
  )
  // What a schema says beyond what its draft knows is for others; nothing is logged.
  const ajv = new Ajv({ allErrors: true, strict: false, logger: false, verbose: true })
  if (JSON.stringify(schema).includes('"format"')) {
    const formats = await peer('ajv-formats', () => import('ajv-formats'))
    formats.default.default(ajv)
  }
  try {
    return ajv.compile(schema)
  } catch (cause) {
    throw createError('OPTION_INVALID', `the JSON Schema is not valid: ${(cause as Error).message}`, { cause })
  }
}

async function peer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw createError('PEER_MISSING', `a JSON Schema needs the package ${name}`, {
      expected: name,
      hint: `npm install ${name}`,
      cause,
    })
  }
}

/** Errors that only say that one of those beside them is there. */
const isOwn = ({ keyword }: ErrorObject, _: number, all: readonly ErrorObject[]) => keyword !== 'if' || all.length === 1

function issueOf({ instancePath, message = 'is not valid', keyword, params }: ErrorObject): StandardIssue {
  const path = instancePath
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const more = params as Readonly<Record<string, unknown>>
  switch (keyword) {
    case 'required':
      return { message: 'is missing', path: [...path, String(more.missingProperty)] }
    case 'additionalProperties':
      return { message: 'is not a property of the schema', path: [...path, String(more.additionalProperty)] }
    case 'unevaluatedProperties':
      return { message: 'is not a property of the schema', path: [...path, String(more.unevaluatedProperty)] }
    case 'enum':
      return { message: `must be one of ${shortened(more.allowedValues as unknown[])}`, path }
    case 'const':
      return { message: `must be ${shortened([more.allowedValue])}`, path }
    case 'type':
      return { message: `must be ${[more.type].flat().join(' or ')}`, path }
    default:
      return { message, path }
  }
}

/** Values for a message. */
function shortened(values: readonly unknown[]): string {
  const text = values.map(value => JSON.stringify(value)).join(', ')
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

/** A value as JSON has it. What is JSON already is given back as it is. */
function jsonForm(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof CalendarDate) return value.toString()
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (Array.isArray(value)) {
    const items = value.map(jsonForm)
    return items.every((item, i) => item === value[i]) ? value : items
  }
  const entries = Object.entries(value)
  const forms = entries.map(([key, inner]) => [key, jsonForm(inner)] as const)
  return forms.every(([, form], i) => form === entries[i]![1]) ? value : Object.fromEntries(forms)
}

/** Reads the texts of a row as what the schema asks for; what cannot be read so stays text. */
function coercion(schema: JsonSchema): (row: unknown) => unknown {
  const wanted = new Map<string, { readonly parsers: readonly ValueParser[]; readonly nullable: boolean }>()
  for (const [name, property] of Object.entries((schema.properties ?? {}) as JsonSchema)) {
    const types = [(property as { type?: unknown } | null)?.type].flat()
    if (types.includes('string') || types.every(type => type === undefined)) continue
    const kinds = types.flatMap(type =>
      type === 'integer'
        ? (['integer', 'bigint'] as const)
        : type === 'number'
          ? (['number'] as const)
          : type === 'boolean'
            ? (['boolean'] as const)
            : type === 'object' || type === 'array'
              ? (['json'] as const)
              : [],
    )
    wanted.set(name, {
      parsers: kinds.map(kind => valueParser(kind, true, plainBoolean)!),
      nullable: types.includes('null'),
    })
  }
  return row => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return row
    const entries = Object.entries(row).flatMap(([name, value]): [string, unknown][] => {
      const rule = typeof value === 'string' || value === null ? wanted.get(name) : undefined
      if (rule === undefined) return [[name, value]]
      if (value === '' || value === null) return rule.nullable ? [[name, null]] : []
      const text = value as string
      for (const parse of rule.parsers) {
        const parsed = parse(text, 0, text.length)
        if (parsed !== undefined) return [[name, parsed]]
      }
      return [[name, text]]
    })
    return Object.fromEntries(entries)
  }
}

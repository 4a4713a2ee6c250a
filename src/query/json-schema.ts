/** JSON Schemas as schemas that `openIterable` takes. */
import { invalidOption } from '../core/options.ts'
import type { Row } from '../core/types.ts'
import type { StandardSchema } from '../standard-schema.ts'

/** Options of `fromJsonSchema`. */
export interface JsonSchemaOptions {
  /**
   * Whether texts are read as what the schema asks for, at the top of the row: a number, an integer, true or false; and an
   * empty text, where text is not allowed, as null, or as no value at all where null is not either. For CSV. Default false.
   */
  readonly coerce?: boolean | undefined
}

/**
 * A JSON Schema (draft 2020-12, 2019-09 or 7, as its `$schema` says) as a schema of rows:
 *
 * ```ts
 * const people = openIterable('people.jsonl', { schema: fromJsonSchema({ type: 'object', required: ['id'] }) })
 * ```
 *
 * Values are looked at as JSON has them: a `Date` is its ISO text, a `bigint` a number, bytes are base64. Formats are
 * checked. The check is done by the packages `ajv` and `ajv-formats`, loaded with the first row.
 *
 * @throws OPTION_INVALID where it is no schema; from the first row on PEER_MISSING without `ajv`, and OPTION_INVALID for a
 * schema that is wrong or refers to what it does not hold.
 */
export function fromJsonSchema<R extends object = Row>(
  schema: Readonly<Record<string, unknown>> | boolean,
  { coerce = false }: JsonSchemaOptions = {},
): StandardSchema<unknown, R> {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema))) {
    throw invalidOption('schema', 'a JSON Schema: an object, true or false', schema)
  }
  type Validate = StandardSchema<unknown, R>['~standard']['validate']
  let validate: Validate | undefined
  const load = async (): Promise<Validate> => {
    const { compileJsonSchema } = await import('./json-schema-compile.ts')
    validate = (await compileJsonSchema(schema, coerce)) as Validate
    return validate
  }
  return {
    '~standard': {
      version: 1,
      vendor: 'open-iterable',
      validate: value => (validate === undefined ? load().then(ready => ready(value)) : validate(value)),
    },
  }
}

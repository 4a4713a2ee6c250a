/** The types that columns had in some database, as this one has them. */
import type { NativeType } from '../../core/schema.ts'
import type { WriteSession } from './write-session.ts'

/**
 * Names come from anywhere, also out of a file: they are looked up, and what stands in a statement is what the server itself
 * calls the type that it has found. Types of another schema are taken where the one of their own is not there, as extensions
 * lie in different ones.
 */
const TYPES_QUERY = `SELECT w.number::int4 AS number, (
    SELECT pg_catalog.format_type(t.oid, w.modifier)
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typname = w.name AND t.typtype::text = w.kind AND t.typisdefined AND t.typtype <> 'p'
      AND (n.nspname = w.schema OR pg_catalog.pg_type_is_visible(t.oid))
    ORDER BY n.nspname = w.schema DESC LIMIT 1) AS type
  FROM unnest($1::text[], $2::text[], $3::text[], $4::int4[]) WITH ORDINALITY AS w(schema, name, kind, modifier, number)`

/** The SQL of types, each where the server has it. */
export async function sqlOfNativeTypes(
  session: WriteSession,
  types: readonly (NativeType | undefined)[],
): Promise<readonly (string | undefined)[]> {
  const known = types.flatMap((type, i) => (type?.system === 'postgres' ? [{ ...type, i }] : []))
  const sql = types.map((): string | undefined => undefined)
  if (known.length === 0 || session.dialect !== 'postgres') return sql
  const { rows } = await session.run(TYPES_QUERY, [
    known.map(({ schema }) => schema),
    known.map(({ name }) => name),
    known.map(({ kind }) => kind),
    known.map(({ modifier }) => modifier),
  ])
  for (const { number, type } of rows) {
    if (typeof type === 'string') sql[known[Number(number) - 1]!.i] = type
  }
  return sql
}

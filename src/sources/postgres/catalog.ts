/** What is known of the types that users and extensions have made, and of which statements need them. */
import { CATALOG_QUERY, type CatalogType, type FieldDescription, isUnknownType } from './types.ts'

const MAX_STATEMENTS = 1000

/** Runs a statement on the connection at hand; values come as text. */
export type RunQuery = (sql: string, params: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>

/** One for each server. */
export class TypeCatalog {
  readonly types = new Map<number, CatalogType>()
  /** Statements whose types are all known. */
  readonly #statements = new Set<string>()
  /** Oids that the catalog does not have. */
  readonly #missing = new Set<number>()

  /** Whether the types of a statement's columns are known without asking. */
  knows(sql: string): boolean {
    return this.#statements.has(sql)
  }

  /** Asks for the types that are not known yet. */
  async learn(sql: string, fields: readonly FieldDescription[], run: RunQuery): Promise<void> {
    const wanted = this.#unknown(fields)
    if (wanted.length > 0) {
      const rows = await run(CATALOG_QUERY, [`{${wanted.join(',')}}`])
      for (const { oid, typname, typtype, typdelim, element } of rows) {
        this.types.set(Number(oid), {
          oid: Number(oid),
          name: String(typname),
          kind: String(typtype),
          elementOid: Number(element),
          delimiter: String(typdelim),
        })
      }
      for (const oid of wanted) if (!this.types.has(oid)) this.#missing.add(oid)
    }
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.delete(this.#statements.values().next().value!)
    this.#statements.add(sql)
  }

  /** To be told of the columns that a statement has indeed: where a type is new, the next read asks for it. */
  check(sql: string, fields: readonly FieldDescription[]): void {
    if (this.#unknown(fields).length > 0) this.#statements.delete(sql)
  }

  #unknown(fields: readonly FieldDescription[]): number[] {
    const oids = new Set(fields.map(({ typeOid }) => typeOid).filter(isUnknownType))
    return [...oids].filter(oid => !this.types.has(oid) && !this.#missing.has(oid))
  }
}

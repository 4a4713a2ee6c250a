/** Names and values in SQL, and file names that DuckDB takes as they are. */
import { resolve } from 'node:path'

/** A column, table or function name. Names are compared without regard to case by DuckDB, whatever the quotes. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text. Prefer a parameter where the statement takes one. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/**
 * A path to give to `read_parquet($1)` and the like, which take every name for a pattern, in a parameter too: `*`, `?` and
 * `[` are put in brackets, so that exactly that file is meant. The path is made absolute, so that no name is a URL.
 */
export function pathToRead(path: string): string {
  return resolve(path).replace(/[*?[]/g, character => `[${character}]`)
}

/** A path to give to `COPY … TO`, which takes a name as it is. */
export function pathToWrite(path: string): string {
  return resolve(path)
}

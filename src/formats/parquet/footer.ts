/** What a Parquet file says about itself, without reading rows. */
import { open } from 'node:fs/promises'
import type { ErrorCode } from '../../core/errors.ts'
import type { ByteRange } from '../../core/types.ts'
import type { DuckDbLease, QueryOptions } from '../../duckdb/instance.ts'
import { pathToRead } from '../../duckdb/names.ts'

/** A Parquet file in figures. */
export interface ParquetMetadata {
  /** Rows in all. */
  readonly rowCount: number
  /** Row groups in all. */
  readonly rowGroupCount: number
  /** Bytes of the file. */
  readonly fileSize: number
  /** What wrote the file, as it says. */
  readonly createdBy: string | undefined
  /** The version of the format, as the file says: 1 or 2. */
  readonly formatVersion: number
  /** The file's own key-value metadata; a key that is not UTF-8 text is left out. */
  readonly keyValues: Readonly<Record<string, string>>
  /** The row groups, in the order of the file. */
  readonly rowGroups: readonly ParquetRowGroup[]
}

/** Rows of a Parquet file that are stored together. */
export interface ParquetRowGroup {
  /** Rows in it. */
  readonly rowCount: number
  /** Bytes of its column chunks, compressed. */
  readonly compressedSize: number
  /** Its column chunks, in the order of the schema. */
  readonly columns: readonly ParquetColumnChunk[]
}

/** One column's values in one row group. Nested columns have one for each leaf. */
export interface ParquetColumnChunk {
  /** From the column down to the leaf: `['tags', 'list', 'element']`. */
  readonly path: readonly string[]
  /** The codec of its pages, as the format names it: `SNAPPY`, `ZSTD`, … */
  readonly compression: string
  /** Where its bytes are. */
  readonly bytes: ByteRange
  /** Values in it, nulls and levels of lists included. */
  readonly valueCount: number
}

/** The few figures that reading itself needs. */
export interface FooterFigures {
  readonly rowCount: number
  /** Bytes of the file, and of its end: the footer and what says where it is. */
  readonly fileSize: number
  readonly endSize: number
  /** The columns as the file names them, and whether they may be null. */
  readonly columns: readonly { readonly name: string; readonly nullable: boolean }[]
  /** What values are stored in, in the order of the column chunks of a row group; `column` is one of `columns`. */
  readonly leaves: readonly { readonly column: number; readonly path: readonly string[] }[]
}

const number = (value: unknown): number => (value === null || value === undefined ? 0 : Number(value))

export async function readFigures(lease: DuckDbLease, path: string, options: QueryOptions): Promise<FooterFigures> {
  const target = [pathToRead(path)]
  const [file] = await lease.rows(
    'SELECT num_rows, file_size_bytes, footer_size FROM parquet_file_metadata($1)',
    target,
    options,
  )
  const elements = await lease.rows(
    'SELECT name, repetition_type, num_children FROM parquet_schema($1)',
    target,
    options,
  )
  const columns: { name: string; nullable: boolean }[] = []
  const leaves: { column: number; path: string[] }[] = []
  // The root comes first; what is nested in an element follows it.
  const walk = (at: number, above: readonly string[]): number => {
    const { name, num_children: children } = elements[at]!
    const own = [...above, String(name)]
    if (number(children) === 0) leaves.push({ column: columns.length - 1, path: own })
    let next = at + 1
    for (let child = number(children); child > 0 && next < elements.length; child--) next = walk(next, own)
    return next
  }
  for (let at = 1; at < elements.length; ) {
    const { name, repetition_type: repetition } = elements[at]!
    columns.push({ name: String(name), nullable: repetition !== 'REQUIRED' })
    at = walk(at, [])
  }
  return {
    rowCount: number(file?.num_rows),
    fileSize: number(file?.file_size_bytes),
    endSize: number(file?.footer_size) + 8,
    columns,
    leaves,
  }
}

/** Footers larger than this are not looked through. */
const MAX_SCANNED_BYTES = 1024 * 1024

/** The text of a key of the file's own metadata. Most files do not have it, which a look at the footer costs less to see. */
export async function readKeyValue(
  lease: DuckDbLease,
  path: string,
  { fileSize, endSize }: FooterFigures,
  key: string,
  options: QueryOptions,
): Promise<string | undefined> {
  if (endSize <= MAX_SCANNED_BYTES) {
    await using file = await open(path, 'r')
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(endSize), 0, endSize, fileSize - endSize)
    if (!buffer.subarray(0, bytesRead).includes(key)) return undefined
  }
  const [pair] = await lease.rows(
    'SELECT try(decode(value)) AS value FROM parquet_kv_metadata($1) WHERE key = encode($2)',
    [pathToRead(path), key],
    options,
  )
  return typeof pair?.value === 'string' ? pair.value : undefined
}

/** Bytes that reading some of the columns takes. */
export async function bytesOf(
  lease: DuckDbLease,
  path: string,
  figures: FooterFigures,
  needed: ReadonlySet<string> | undefined,
  options: QueryOptions,
): Promise<number> {
  const { columns, leaves, fileSize, endSize } = figures
  const wanted = leaves.flatMap(({ column }, i) => (needed?.has(columns[column]?.name ?? '') ? [i] : []))
  if (needed === undefined || wanted.length === leaves.length) return fileSize
  const [sum] = await lease.rows(
    `SELECT sum(total_compressed_size)::BIGINT AS bytes FROM parquet_metadata($1) WHERE column_id IN (${wanted.join(', ')})`,
    [pathToRead(path)],
    options,
  )
  return number(sum?.bytes) + endSize
}

/** Everything of `ParquetMetadata`. */
export async function readMetadata(lease: DuckDbLease, path: string, options: QueryOptions): Promise<ParquetMetadata> {
  const target = [pathToRead(path)]
  const [file = {}] = await lease.rows('SELECT * FROM parquet_file_metadata($1)', target, options)
  const pairs = await lease.rows(
    `SELECT * FROM (SELECT try(decode(key)) AS key, try(decode(value)) AS value FROM parquet_kv_metadata($1))
     WHERE key IS NOT NULL AND value IS NOT NULL`,
    target,
    options,
  )
  const { leaves } = await readFigures(lease, path, options)
  const chunks = await readChunks(lease, path, leaves, options)
  const rowGroups = new Map<number, { rowCount: number; compressedSize: number; columns: ParquetColumnChunk[] }>()
  for (const { rowGroup, rowGroupRows, chunk } of chunks) {
    const group = rowGroups.get(rowGroup) ?? { rowCount: rowGroupRows, compressedSize: 0, columns: [] }
    group.columns.push(chunk)
    group.compressedSize += chunk.bytes.end - chunk.bytes.start
    rowGroups.set(rowGroup, group)
  }
  return {
    rowCount: number(file.num_rows),
    rowGroupCount: number(file.num_row_groups),
    fileSize: number(file.file_size_bytes),
    createdBy: typeof file.created_by === 'string' && file.created_by !== '' ? file.created_by : undefined,
    formatVersion: number(file.format_version),
    keyValues: Object.fromEntries(pairs.map(({ key, value }) => [String(key), String(value)])),
    rowGroups: [...rowGroups.values()],
  }
}

/** A column chunk in its place. */
export interface PlacedChunk {
  readonly rowGroup: number
  readonly rowGroupRows: number
  /** Index of the column that it is a part of; -1 where the footer contradicts itself. */
  readonly column: number
  readonly chunk: ParquetColumnChunk
  /** Bytes of its Bloom filter, which conditions are looked up in; a length of 0 is not known. */
  readonly bloomFilter: { readonly start: number; readonly length: number } | undefined
}

/** Where each column chunk is. */
export async function readChunks(
  lease: DuckDbLease,
  path: string,
  leaves: FooterFigures['leaves'],
  options: QueryOptions,
): Promise<PlacedChunk[]> {
  const rows = await lease.rows(
    `SELECT row_group_id, row_group_num_rows, column_id, compression, num_values, dictionary_page_offset,
       data_page_offset, index_page_offset, total_compressed_size, bloom_filter_offset, bloom_filter_length
     FROM parquet_metadata($1) ORDER BY row_group_id, column_id`,
    [pathToRead(path)],
    options,
  )
  return rows.map(row => {
    const leaf = leaves[number(row.column_id)] ?? { column: -1, path: [] }
    // Some writers set the offset of a dictionary that is not there to 0.
    const offsets = [row.dictionary_page_offset, row.data_page_offset].map(number).filter(offset => offset > 0)
    const start = Math.min(...offsets)
    const filter = number(row.bloom_filter_offset)
    return {
      rowGroup: number(row.row_group_id),
      rowGroupRows: number(row.row_group_num_rows),
      column: leaf.column,
      chunk: {
        path: leaf.path,
        compression: String(row.compression),
        bytes: { start, end: start + number(row.total_compressed_size) },
        valueCount: number(row.num_values),
      },
      bloomFilter: filter === 0 ? undefined : { start: filter, length: number(row.bloom_filter_length) },
    }
  })
}

/** The code of what a damaged file is told by. */
export const CORRUPT: ErrorCode = 'PARQUET_CORRUPT'

/** The plug-ins that come with the library, an entry each. */
import {
  httpFileName,
  httpLabel,
  httpUrlOf,
  postgresLabel,
  postgresUrlOf,
  s3Label,
  s3LocationOf,
} from './core/target-urls.ts'
import type { CodecEntry, FormatEntry, SourceEntry } from './registry.ts'

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const has = (value: unknown, key: PropertyKey): boolean => isObject(value) && key in value
const isFunctionAt = (value: unknown, key: PropertyKey): boolean =>
  isObject(value) && typeof (value as Record<PropertyKey, unknown>)[key] === 'function'
const fieldOf = (value: unknown, key: string): string | undefined => {
  const field = isObject(value) ? (value as Record<string, unknown>)[key] : undefined
  return typeof field === 'string' ? field : undefined
}

const isBytes = (target: unknown) => target instanceof Uint8Array || target instanceof ArrayBuffer
const isNodeStream = (target: unknown) =>
  isFunctionAt(target, 'pipe') || (isFunctionAt(target, 'write') && isFunctionAt(target, 'end'))
const isIterable = (target: unknown) => has(target, Symbol.asyncIterator) || has(target, Symbol.iterator)

/** The path that a target names on this machine, or undefined. */
function pathOf(target: unknown): string | undefined {
  if (typeof target === 'string' && target !== '-' && target !== '' && !/^[a-z][a-z0-9+.-]+:\/\//i.test(target))
    return target
  const url = target instanceof URL ? target.href : typeof target === 'string' ? target : ''
  return /^file:/i.test(url) ? url : undefined
}

export const BUILT_IN_SOURCES: readonly SourceEntry[] = [
  {
    id: 'file',
    title: 'local file (path or file: URL)',
    reads: true,
    writes: true,
    accepts: target => pathOf(target) !== undefined,
    label: target => pathOf(target) ?? '',
    fileName: target => pathOf(target),
    load: async () => (await import('./sources/file.ts')).place,
  },
  {
    id: 'http',
    title: 'http: or https: URL',
    reads: true,
    writes: false,
    accepts: target => httpUrlOf(target) !== undefined,
    label: target => httpLabel(httpUrlOf(target)!),
    fileName: target => httpFileName(httpUrlOf(target)!),
    load: async () => (await import('./sources/http/index.ts')).place,
  },
  {
    id: 's3',
    title: 'object of S3 (s3: URL or { bucket, key })',
    reads: true,
    writes: true,
    peer: '@aws-sdk/client-s3',
    accepts: target => s3LocationOf(target) !== undefined,
    label: target => s3Label(s3LocationOf(target)!),
    fileName: target => s3LocationOf(target)?.key,
    load: async () => (await import('./sources/s3/index.ts')).place,
  },
  {
    id: 'postgres',
    title: 'Postgres (postgres: URL or { postgres: pool, client or transaction })',
    reads: true,
    writes: true,
    rows: true,
    typed: true,
    peer: 'pg',
    accepts: target => postgresUrlOf(target) !== undefined || has(target, 'postgres'),
    label: target => postgresLabel(postgresUrlOf(target)),
    load: async () => (await import('./sources/postgres/index.ts')).place,
  },
  {
    id: 'stdio',
    title: "standard input and output ('-')",
    reads: true,
    writes: true,
    accepts: target => target === '-',
    label: () => '<stdio>',
    load: async () => (await import('./sources/stream.ts')).stdio,
  },
  {
    id: 'memory',
    title: 'bytes, { text }, { bytes }, Blob or MemoryTarget',
    reads: true,
    writes: true,
    accepts: target =>
      isBytes(target) ||
      fieldOf(target, 'text') !== undefined ||
      isBytes((target as { bytes?: unknown } | null)?.bytes) ||
      target instanceof Blob ||
      isFunctionAt(target, 'publish'),
    label: target => fieldOf(target, 'name') ?? '<memory>',
    fileName: target => fieldOf(target, 'name'),
    load: async () => (await import('./sources/memory.ts')).place,
  },
  {
    id: 'stream',
    title: 'Node or Web stream, or fetch Response',
    reads: true,
    writes: true,
    accepts: target =>
      isNodeStream(target) ||
      target instanceof ReadableStream ||
      target instanceof WritableStream ||
      target instanceof Response,
    label: target => fieldOf(target, 'path') ?? fieldOf(target, 'url') ?? '<stream>',
    fileName: target => fieldOf(target, 'path') ?? fieldOf(target, 'url')?.replace(/[?#].*$/, ''),
    load: async () => (await import('./sources/stream.ts')).place,
  },
  {
    id: 'iterable',
    title: 'iterable or async iterable of chunks or of rows',
    reads: true,
    writes: false,
    // What opens a reader of rows by itself (`RowSource`) is taken as it is.
    accepts: target => isObject(target) && (isIterable(target) || isFunctionAt(target, 'openReader')),
    label: target => fieldOf(target, 'label') ?? '<iterable>',
    load: async () => (await import('./sources/iterable.ts')).place,
  },
]

export const BUILT_IN_CODECS: readonly CodecEntry[] = [
  {
    id: 'gzip',
    title: 'gzip (RFC 1952)',
    extensions: ['gz', 'gzip'],
    reads: true,
    writes: true,
    appends: true,
    load: async () => (await import('./codecs/gzip.ts')).codec,
  },
  {
    id: 'zstd',
    title: 'Zstandard (RFC 8878)',
    extensions: ['zst', 'zstd'],
    reads: true,
    writes: true,
    appends: true,
    load: async () => (await import('./codecs/zstd.ts')).codec,
  },
  {
    id: 'brotli',
    title: 'brotli (RFC 7932)',
    extensions: ['br', 'brotli'],
    reads: true,
    writes: true,
    load: async () => (await import('./codecs/brotli.ts')).codec,
  },
  {
    id: 'deflate',
    title: 'deflate in a zlib frame (RFC 1950)',
    extensions: ['zz', 'zlib'],
    reads: true,
    writes: true,
    load: async () => (await import('./codecs/deflate.ts')).codec,
  },
  {
    id: 'deflate-raw',
    title: 'deflate alone (RFC 1951)',
    extensions: ['deflate-raw'],
    reads: true,
    writes: true,
    load: async () => (await import('./codecs/deflate.ts')).rawCodec,
  },
  {
    id: 'zip',
    title: 'ZIP, one member of it',
    extensions: ['zip'],
    needs: 'random',
    reads: true,
    writes: true,
    load: async () => (await import('./codecs/zip.ts')).codec,
  },
  {
    id: 'bzip2',
    title: 'bzip2',
    extensions: ['bz2', 'bzip2'],
    reads: true,
    writes: false,
    load: async () => (await import('./codecs/bzip2.ts')).codec,
  },
  {
    id: 'xz',
    title: 'xz',
    extensions: ['xz'],
    reads: true,
    writes: false,
    load: async () => (await import('./codecs/xz.ts')).codec,
  },
  {
    id: 'lz4',
    title: 'LZ4 frames',
    extensions: ['lz4'],
    reads: true,
    writes: true,
    appends: true,
    load: async () => (await import('./codecs/lz4.ts')).codec,
  },
  {
    id: 'snappy',
    title: 'Snappy (framing format)',
    extensions: ['sz', 'snappy'],
    reads: true,
    writes: true,
    appends: true,
    load: async () => (await import('./codecs/snappy.ts')).codec,
  },
]

export const BUILT_IN_FORMATS: readonly FormatEntry[] = [
  {
    id: 'csv',
    title: 'CSV, TSV, PSV (RFC 4180 and its dialects)',
    extensions: { csv: {}, tsv: { delimiter: '\t' }, tab: { delimiter: '\t' }, psv: { delimiter: '|' } },
    mediaTypes: { 'text/csv': 'csv', 'application/csv': 'csv', 'text/tab-separated-values': 'tsv' },
    reads: true,
    writes: true,
    text: true,
    needs: 'stream',
    load: async () => (await import('./formats/csv/index.ts')).format,
  },
  {
    id: 'jsonl',
    title: 'JSON Lines (NDJSON)',
    extensions: { jsonl: {}, ndjson: {}, ldjson: {} },
    mediaTypes: {
      'application/jsonl': 'jsonl',
      'application/x-jsonlines': 'jsonl',
      'application/x-ndjson': 'ndjson',
      'application/ndjson': 'ndjson',
    },
    reads: true,
    writes: true,
    text: true,
    needs: 'stream',
    load: async () => (await import('./formats/jsonl/index.ts')).format,
  },
  {
    id: 'json',
    title: 'JSON (one document)',
    extensions: { json: {} },
    mediaTypes: { 'application/json': 'json' },
    reads: true,
    writes: true,
    text: true,
    needs: 'stream',
    load: async () => (await import('./formats/json/index.ts')).format,
  },
  {
    id: 'fixed',
    title: 'fixed-width text',
    extensions: { fixed: {}, fwf: {} },
    reads: true,
    writes: true,
    text: true,
    needs: 'stream',
    load: async () => (await import('./formats/fixed/index.ts')).format,
  },
  {
    id: 'parquet',
    title: 'Parquet',
    extensions: { parquet: {}, parq: {} },
    reads: true,
    writes: true,
    typed: true,
    needs: 'random',
    peer: '@duckdb/node-api',
    load: async () => (await import('./formats/parquet/index.ts')).format,
  },
  {
    id: 'arrow',
    title: 'Arrow IPC, Feather',
    extensions: { arrow: {}, feather: {}, arrows: { container: 'stream' } },
    reads: true,
    writes: true,
    typed: true,
    needs: 'stream',
    peer: 'apache-arrow',
    load: async () => (await import('./formats/arrow/index.ts')).format,
  },
]

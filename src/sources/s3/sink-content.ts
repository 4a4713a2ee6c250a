/** Which media type an object has. */

/** By id of a format or a codec, and by extension. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  tab: 'text/tab-separated-values',
  psv: 'text/plain',
  fixed: 'text/plain',
  fwf: 'text/plain',
  txt: 'text/plain',
  jsonl: 'application/x-ndjson',
  ndjson: 'application/x-ndjson',
  ldjson: 'application/x-ndjson',
  json: 'application/json',
  xml: 'application/xml',
  parquet: 'application/vnd.apache.parquet',
  arrow: 'application/vnd.apache.arrow.file',
  arrows: 'application/vnd.apache.arrow.stream',
  avro: 'application/avro',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  gzip: 'application/gzip',
  gz: 'application/gzip',
  zstd: 'application/zstd',
  zst: 'application/zstd',
  zip: 'application/zip',
  bzip2: 'application/x-bzip2',
  bz2: 'application/x-bzip2',
  xz: 'application/x-xz',
  deflate: 'application/zlib',
  zz: 'application/zlib',
}

/** What is written, from outside to inside. */
export interface Content {
  /** Id of the format. */
  readonly format?: string | undefined
  /** Ids of the codecs, outermost first. */
  readonly codecs?: readonly string[] | undefined
}

/**
 * The media type of what is written. A compressed object has the type of its compression and no `Content-Encoding`:
 * clients of HTTP would undo that unasked, and the length they were told would not be that of what they get.
 */
export function mediaTypeOf(key: string, { format, codecs = [] }: Content): string {
  const extensions = key
    .slice(key.lastIndexOf('/') + 1)
    .toLowerCase()
    .split('.')
    .slice(1)
    .reverse()
  const outermost = codecs[0]
  // The extension knows a TSV from a CSV.
  const ids =
    outermost !== undefined ? [outermost] : [...extensions.slice(0, 1), ...(format === undefined ? [] : [format])]
  const known = ids.find(id => Object.hasOwn(MEDIA_TYPES, id))
  return known === undefined ? 'application/octet-stream' : MEDIA_TYPES[known]!
}

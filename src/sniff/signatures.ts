/** Files that tell by their first bytes what they are. */

/** What a signature stands for. */
export interface Recognised {
  /** A codec is undone and what is inside sniffed again; a format holds rows; anything else is no table. */
  readonly kind: 'codec' | 'format' | 'other'
  readonly id: string
  /** With an article, for a sentence. */
  readonly title: string
  /** What was seen, as in `starts with 1F 8B`. */
  readonly seen: string
}

interface Signature {
  readonly kind: Recognised['kind']
  readonly id: string
  readonly title: string
  /** Bytes, or text of one byte per character. */
  readonly bytes: readonly number[] | string
  /** Where they stand. Default 0. */
  readonly at?: number
  /** The signature is made of letters: text that begins with them is not meant. */
  readonly binaryOnly?: true
  /** What else has to hold. */
  readonly also?: (sample: Uint8Array) => boolean
}

const digit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39
const isBzip2 = (sample: Uint8Array) =>
  digit(sample[3]) &&
  [0x31, 0x41, 0x59, 0x26, 0x53, 0x59].every((byte, i) => (sample[4 + i] ?? byte) === byte) &&
  sample.length > 4
const has =
  (text: string, within = 4096) =>
  (sample: Uint8Array) =>
    Buffer.from(sample.buffer, sample.byteOffset, Math.min(sample.length, within)).includes(text, 0, 'latin1')

/** The more special before the more general. */
const SIGNATURES: readonly Signature[] = [
  { kind: 'codec', id: 'gzip', title: 'gzip', bytes: [0x1f, 0x8b] },
  { kind: 'codec', id: 'zstd', title: 'Zstandard', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { kind: 'codec', id: 'bzip2', title: 'bzip2', bytes: 'BZh', also: isBzip2 },
  { kind: 'codec', id: 'xz', title: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { kind: 'codec', id: 'lz4', title: 'LZ4', bytes: [0x04, 0x22, 0x4d, 0x18] },
  {
    kind: 'codec',
    id: 'snappy',
    title: 'Snappy (framed)',
    bytes: [0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59],
  },
  { kind: 'format', id: 'xlsx', title: 'an Excel workbook (XLSX)', bytes: 'PK\x03\x04', also: isWorkbook },
  {
    kind: 'format',
    id: 'ods',
    title: 'an OpenDocument spreadsheet',
    bytes: 'PK\x03\x04',
    also: has('mimetypeapplication/vnd.oasis.opendocument.spreadsheet', 200),
  },
  { kind: 'codec', id: 'zip', title: 'a ZIP archive', bytes: 'PK\x03\x04' },
  { kind: 'codec', id: 'zip', title: 'an empty ZIP archive', bytes: 'PK\x05\x06' },
  { kind: 'codec', id: 'zip', title: 'a ZIP archive that was split', bytes: 'PK\x07\x08' },
  { kind: 'format', id: 'parquet', title: 'Parquet', bytes: 'PAR1', binaryOnly: true },
  { kind: 'format', id: 'parquet', title: 'encrypted Parquet', bytes: 'PARE', binaryOnly: true },
  { kind: 'format', id: 'arrow', title: 'Arrow', bytes: 'ARROW1\0\0' },
  { kind: 'format', id: 'arrow', title: 'an Arrow stream', bytes: [0xff, 0xff, 0xff, 0xff], also: isArrowStream },
  { kind: 'format', id: 'feather', title: 'Feather, version 1', bytes: 'FEA1', binaryOnly: true },
  { kind: 'format', id: 'avro', title: 'Avro', bytes: 'Obj\x01' },
  { kind: 'format', id: 'orc', title: 'ORC', bytes: 'ORC', binaryOnly: true },
  { kind: 'format', id: 'sqlite', title: 'an SQLite database', bytes: 'SQLite format 3\0' },
  { kind: 'format', id: 'duckdb', title: 'a DuckDB database', bytes: 'DUCK', at: 8, binaryOnly: true },
  {
    kind: 'format',
    id: 'xls',
    title: 'an old Office document, perhaps an Excel workbook (XLS)',
    bytes: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
  },
  { kind: 'other', id: '7z', title: 'a 7z archive', bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c] },
  { kind: 'other', id: 'rar', title: 'a RAR archive', bytes: 'Rar!\x1a\x07' },
  { kind: 'other', id: 'tar', title: 'a tar archive', bytes: 'ustar', at: 257, binaryOnly: true },
  { kind: 'other', id: 'pdf', title: 'a PDF document', bytes: '%PDF-' },
  { kind: 'other', id: 'rtf', title: 'an RTF document', bytes: '{\\rtf' },
  { kind: 'other', id: 'png', title: 'a PNG image', bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
  { kind: 'other', id: 'jpeg', title: 'a JPEG image', bytes: [0xff, 0xd8, 0xff] },
  { kind: 'other', id: 'gif', title: 'a GIF image', bytes: 'GIF8', binaryOnly: true },
  { kind: 'other', id: 'tiff', title: 'a TIFF image', bytes: 'II*\0' },
  { kind: 'other', id: 'tiff', title: 'a TIFF image', bytes: 'MM\0*' },
  { kind: 'other', id: 'webp', title: 'a WebP image', bytes: 'WEBP', at: 8, binaryOnly: true },
  { kind: 'other', id: 'mp4', title: 'an MP4 or QuickTime film', bytes: 'ftyp', at: 4, binaryOnly: true },
  { kind: 'other', id: 'elf', title: 'an ELF program', bytes: '\x7fELF' },
  { kind: 'other', id: 'exe', title: 'a Windows program', bytes: 'MZ', binaryOnly: true },
  { kind: 'other', id: 'wasm', title: 'a WebAssembly module', bytes: '\0asm' },
  { kind: 'other', id: 'hdf5', title: 'an HDF5 file', bytes: '\x89HDF\r\n\x1a\n' },
  { kind: 'other', id: 'npy', title: 'a NumPy array', bytes: '\x93NUMPY' },
  {
    kind: 'other',
    id: 'git-lfs',
    title: 'a Git LFS pointer in place of the file (`git lfs pull` fetches it)',
    bytes: 'version https://git-lfs.github.com/spec/',
  },
]

/** What the first bytes say; undefined where they are nobody's signature. */
export function recognise(sample: Uint8Array): Recognised | undefined {
  for (const { kind, id, title, bytes, at = 0, binaryOnly, also } of SIGNATURES) {
    const wanted = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    if (sample.length < at + wanted.length) continue
    if (!wanted.every((byte, i) => sample[at + i] === byte)) continue
    if (binaryOnly === true && !hasControls(sample)) continue
    if (also !== undefined && !also(sample)) continue
    return { kind, id, title, seen: seenOf([...wanted], at) }
  }
  return isZlib(sample)
    ? { kind: 'codec', id: 'deflate', title: 'zlib', seen: seenOf([...sample.slice(0, 2)], 0) }
    : undefined
}

function seenOf(bytes: readonly number[], at: number): string {
  const printable = bytes.every(byte => byte >= 0x20 && byte < 0x7f)
  const shown = printable
    ? JSON.stringify(String.fromCharCode(...bytes))
    : bytes.map(byte => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ')
  return at === 0 ? `starts with ${shown}` : `has ${shown} at byte ${at}`
}

/** Bytes that no text has; delimiters that some exports use (01, 1C to 1F) are not among them. */
export function isControl(byte: number): boolean {
  return (
    byte < 0x1c && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d && byte !== 0x1b && byte !== 0x01
  )
}

function hasControls(sample: Uint8Array): boolean {
  return sample.subarray(0, 4096).some(isControl)
}

/** RFC 1950 section 2.2, for the window and levels that are in use; `x` begins many a text, so more must follow. */
function isZlib(sample: Uint8Array): boolean {
  return sample[0] === 0x78 && [0x01, 0x9c, 0xda].includes(sample[1] ?? 0) && hasControls(sample.subarray(2))
}

function isWorkbook(sample: Uint8Array): boolean {
  return has('[Content_Types].xml')(sample) && has('xl/')(sample)
}

/** A continuation mark, then the length of a schema message, which is small. */
function isArrowStream(sample: Uint8Array): boolean {
  if (sample.length < 12) return false
  const length = new DataView(sample.buffer, sample.byteOffset).getInt32(4, true)
  return length > 16 && length < 1 << 20 && length % 8 === 0
}

/** How data of a codec begins, where it always begins in the same way. */
export function codecMagic(id: string): readonly number[] | undefined {
  const bytes = SIGNATURES.find(signature => signature.kind === 'codec' && signature.id === id)?.bytes
  return typeof bytes === 'string' ? [...Buffer.from(bytes, 'latin1')] : bytes
}

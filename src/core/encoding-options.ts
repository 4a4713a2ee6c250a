/** The options of text encodings; apart from what does the work, so that reading UTF-8 does not load it. */
import type { DecodeTextOptions } from './encoding-source.ts'
import { is, type OptionEntry, type OptionTable } from './options.ts'

export type { DecodeTextOptions }

/** Options of reading text, whatever its format. */
export interface TextReadOptions {
  /**
   * The encoding of the text: any label of the WHATWG Encoding Standard (`'utf-16le'`, `'windows-1252'`, `'shift_jis'`,
   * …), `'utf-32'`, or `'auto'` (default): what a byte order mark says, else UTF-8. It is never guessed. `'latin1'` and
   * `'ascii'` are read as windows-1252, as the standard has it. An input that begins with the byte order mark of another
   * encoding is ENCODING_MISMATCH.
   *
   * Errors of the format then give line, column and record as ever, but `byte` counts bytes of the UTF-8 that the text
   * was converted to (without the byte order mark of UTF-16 or UTF-32). TEXT_INVALID_ENCODING counts those of the input.
   */
  readonly encoding?: string | undefined
  /**
   * What becomes of bytes that are no character of the encoding. Default `'raise'`: TEXT_INVALID_ENCODING, which ends the
   * reading (in UTF-8: TEXT_INVALID_UTF8, an error of one record). `'replace'`: they become U+FFFD.
   */
  readonly encodingErrors?: 'raise' | 'replace' | undefined
}

/** Options of writing text, whatever its format. */
export interface TextWriteOptions {
  /**
   * The encoding to write: any that can be read, but for `'utf-32'` and `'iso-2022-jp'`. Default `'utf-8'`. Those of
   * Chinese, Japanese and Korean need the package iconv-lite. `'latin1'`, `'ascii'` and the names of ISO 8859 write only
   * what these have, not the characters that Windows added.
   */
  readonly encoding?: string | undefined
  /** Whether to begin with a byte order mark. Default: `true` for UTF-16, which is not recognised without, else `false`. */
  readonly bom?: boolean | undefined
  /** What becomes of characters that the encoding does not have. Default `'raise'`: TEXT_UNMAPPABLE; `'replace'`: `?`. */
  readonly encodingErrors?: 'raise' | 'replace' | undefined
}

const ERRORS_TYPE = "'raise' or 'replace'"

export const TEXT_READ_OPTIONS: OptionTable = {
  encoding: {
    type: 'string',
    default: "'auto'",
    means: "The encoding of the text; `'auto'`: by its byte order mark, else UTF-8.",
    accepts: is.string,
  },
  encodingErrors: {
    type: ERRORS_TYPE,
    default: "'raise'",
    means: 'What becomes of bytes that are no character of the encoding.',
    accepts: is.oneOf('raise', 'replace'),
  },
} satisfies Record<keyof TextReadOptions, OptionEntry>

export const TEXT_WRITE_OPTIONS: OptionTable = {
  encoding: { type: 'string', default: "'utf-8'", means: 'The encoding to write.', accepts: is.string },
  bom: {
    type: 'boolean',
    default: '`true` for UTF-16',
    means: 'Begins with a byte order mark.',
    accepts: is.boolean,
  },
  encodingErrors: {
    type: ERRORS_TYPE,
    default: "'raise'",
    means: 'What becomes of characters that the encoding does not have; `replace` writes `?`.',
    accepts: is.oneOf('raise', 'replace'),
  },
} satisfies Record<keyof TextWriteOptions, OptionEntry>

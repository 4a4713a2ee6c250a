/** The options of writing JSON. */
import { JSON_VALUE_WRITE_OPTIONS, type JsonValueWriteOptions } from '../../core/json-options.ts'
import { is, type OptionEntry } from '../../core/options.ts'
import { isPointer } from './pointer.ts'

/** Options of writing one JSON document (RFC 8259). */
export interface JsonWriteOptions extends JsonValueWriteOptions {
  /**
   * Lays rows out over several lines, as `JSON.stringify(rows, null, indent)` does: spaces per level, up to 10, or what to
   * indent by, up to 10 characters of white space. Default `0`: each row on a line of its own, without any space in it.
   */
  readonly indent?: number | string | undefined
  /**
   * Where the array of rows is to be in the document: `'/data/items'` writes `{"data":{"items":[…]}}`. Each part is a key,
   * also where it looks like an index. Default `''`: the document is the array.
   */
  readonly pointer?: string | undefined
}

export const JSON_WRITE_OPTIONS = {
  indent: {
    type: 'an integer from 0 to 10, or a text of up to 10 white space characters',
    default: '0',
    means: 'Lays rows out over several lines, as JSON.stringify does; 0: one row a line.',
    accepts: is.any(is.integer(0, 10), value => typeof value === 'string' && /^[ \t\r\n]{0,10}$/.test(value)),
  },
  pointer: {
    type: 'a JSON pointer (RFC 6901)',
    default: "''",
    means: 'Where the array of rows is to be in the document: \'/data/items\' writes {"data":{"items":[…]}}.',
    accepts: isPointer,
  },
  ...JSON_VALUE_WRITE_OPTIONS,
} satisfies Record<keyof JsonWriteOptions, OptionEntry>

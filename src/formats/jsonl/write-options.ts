/** The options of writing JSON Lines. */
import { JSON_VALUE_WRITE_OPTIONS, type JsonValueWriteOptions } from '../../core/json-options.ts'

/** Options of writing JSON Lines (one JSON value a line, each ended by a line feed). */
export interface JsonlWriteOptions extends JsonValueWriteOptions {}

export const JSONL_WRITE_OPTIONS = JSON_VALUE_WRITE_OPTIONS

/** What the main thread and a converting thread tell each other. */
import { createError, type ErrorCode, OpenIterableError } from '../core/errors.ts'
import type { ConvertOptions, ConvertProgress } from './options.ts'
import type { ConvertResult } from './result.ts'

export type ToWorker =
  | {
      readonly type: 'convert'
      readonly id: number
      readonly from: string
      readonly to: string
      readonly options: ConvertOptions
      readonly wantsProgress: boolean
    }
  | { readonly type: 'abort'; readonly id: number }

export type FromWorker =
  | { readonly type: 'done'; readonly id: number; readonly result: ConvertResult }
  | { readonly type: 'failed'; readonly id: number; readonly error: PortableError }
  | { readonly type: 'progress'; readonly id: number; readonly progress: ConvertProgress }

/** An error that crosses from one thread to another: class and fields of ours would be lost on the way. */
export type PortableError =
  | { readonly code: ErrorCode; readonly fields: Partial<OpenIterableError>; readonly cause: unknown }
  | { readonly other: unknown }

const FIELDS = ['message', 'stack', 'label', 'line', 'column', 'byte', 'record', 'expected', 'found', 'hint'] as const

export function packError(error: unknown): PortableError {
  if (!(error instanceof OpenIterableError)) return { other: cloneable(error) }
  const fields = Object.fromEntries(FIELDS.map(name => [name, error[name]]))
  return { code: error.code, fields, cause: cloneable(error.cause) }
}

export function unpackError(packed: PortableError): unknown {
  if ('other' in packed) return packed.other
  const { fields, cause } = packed
  const error = createError(packed.code, '', { ...fields, cause })
  for (const name of ['message', 'stack'] as const) {
    Object.defineProperty(error, name, { value: fields[name], writable: true, configurable: true, enumerable: false })
  }
  return error
}

function cloneable(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return value instanceof Error ? new Error(value.message) : String(value)
  }
}

/** Faults to order: which requests they meet, and what they do to them. */
import type { Operation, S3Request } from './request.ts'

export interface S3Fault {
  /** Meets requests of this operation, or of one of these. Default: all. */
  readonly operation?: Operation | readonly Operation[]
  readonly key?: string
  /** Meets a request only if this says so. */
  readonly when?: (request: S3Request) => boolean
  /** Lets this many requests that it would meet pass first. Default: 0. */
  readonly skip?: number
  /** How many requests it meets. Default: 1; Infinity for all. */
  readonly times?: number

  /** Called, and awaited, before the request is worked on: holds it up, or changes what is stored meanwhile. */
  readonly before?: (request: S3Request) => unknown
  /** Called, and awaited, once the work is done and before the answer is sent. */
  readonly after?: (request: S3Request) => unknown
  /** Waited before the request is worked on. */
  readonly delayMs?: number
  /** Answers this status with an error instead of the work. */
  readonly status?: number
  /** Code and message of that error. Default: SlowDown for 503, TooManyRequests for 429, InternalError for others. */
  readonly code?: string
  readonly message?: string
  /** Headers of that answer. */
  readonly headers?: Readonly<Record<string, string>>
  /** Answers 200 with an error document of this code, as a completion that failed while it was under way. */
  readonly errorInBody?: string
  /** RST in place of an answer: before the work, or after it, when it is done and nobody is told. */
  readonly resetBefore?: boolean
  readonly resetAfter?: boolean
  /** FIN in place of an answer. */
  readonly endBefore?: boolean
  /** RST after this many bytes of the request's body. */
  readonly resetRequestAfterBytes?: number
  /** This byte of the request's body is another one when it arrives. */
  readonly corruptRequestByte?: number
  /** The request is taken and never answered. */
  readonly silent?: boolean

  /** RST after this many bytes of the answer's body. */
  readonly resetAfterBytes?: number
  /** FIN after this many bytes. */
  readonly endAfterBytes?: number
  /** Nothing more after this many bytes, on a connection that stays open. */
  readonly stallAfterBytes?: number
  readonly bytesPerSecond?: number
  /** This byte of the answer's body is another one. */
  readonly corruptByte?: number
}

export class Faults {
  #ordered: { readonly fault: S3Fault; skip: number; times: number }[] = []

  /** Orders faults; of those that meet a request, the one ordered first acts. */
  add(...faults: readonly S3Fault[]): void {
    for (const fault of faults) this.#ordered.push({ fault, skip: fault.skip ?? 0, times: fault.times ?? 1 })
  }

  clear(): void {
    this.#ordered = []
  }

  /** The fault that meets a request, which is then used up by one. */
  take(request: S3Request): S3Fault | undefined {
    for (const order of this.#ordered) {
      if (order.times <= 0 || !meets(order.fault, request)) continue
      if (order.skip-- > 0) continue
      order.times--
      return order.fault
    }
    return undefined
  }
}

function meets({ operation, key, when }: S3Fault, request: S3Request): boolean {
  if (operation !== undefined && ![operation].flat().includes(request.operation)) return false
  return (key === undefined || key === request.key) && (when?.(request) ?? true)
}

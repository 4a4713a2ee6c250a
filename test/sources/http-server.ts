/** A file behind HTTP on loopback, from a server that is as good or as bad as it is told. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** How the server behaves; all of it may be changed between two requests. */
export interface Behaviour {
  /** Default: `"v1"`; null: none. */
  etag?: string | null
  /** Waited before each answer. */
  delayMs?: number
  /** Takes no notice of `Range`. */
  noRanges?: boolean
  /** `'chunked'`: no length, but an end that is marked; `'close'`: the connection is closed behind the last byte. */
  unmeasured?: 'chunked' | 'close'
  /** How many answers break, and where: after this many bytes of each. */
  breaks?: { how: 'reset' | 'end' | 'stall'; afterBytes: number; times: number }
  /** How many requests are refused, and how. */
  refusals?: { status: number; headers?: Record<string, string>; times: number }
  headers?: Record<string, string>
  /** Answers itself, if it gives true. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean
}

/** A reset that arrives together with data is read as a plain end, so the data is given a turn of the event loop. */
const RESET_DELAY_MS = 10

export class HttpServer {
  bytes: Buffer
  behaviour: Behaviour = {}
  readonly requests: IncomingMessage[] = []
  /** For each request, bytes of the body handed to the system. */
  readonly sentBytes: number[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    this.#answer(request, response).catch(() => request.socket.destroy())
  })

  constructor(bytes: Uint8Array | string = '') {
    this.bytes = Buffer.from(bytes)
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    })
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }
  /** Connections that clients hold. */
  get openSockets(): number {
    return this.#sockets.size
  }
  /** The `Range` of each request so far. */
  get ranges(): (string | undefined)[] {
    return this.requests.map(request => request.headers.range)
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = this.requests.push(request) - 1
    const { requests, sentBytes } = this
    sentBytes[at] = 0
    const {
      etag = '"v1"',
      delayMs,
      noRanges,
      unmeasured,
      breaks,
      refusals,
      headers: more = {},
      intercept,
    } = this.behaviour
    if (intercept?.(request, response)) return
    if (delayMs !== undefined) await wait(delayMs)
    if (refusals !== undefined && refusals.times-- > 0) {
      response.writeHead(refusals.status, refusals.headers).end('no')
      return
    }
    const ifMatch = request.headers['if-match']
    if (ifMatch !== undefined && ifMatch !== etag) {
      response.writeHead(412).end()
      return
    }
    const headers: Record<string, string> = { ...(etag === null ? {} : { etag }), ...more }
    if (noRanges !== true) headers['accept-ranges'] = 'bytes'
    const range = noRanges === true ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const size = this.bytes.length
    const start = range === null ? 0 : Number(range[1])
    const end = range === null || range[2] === '' ? size : Math.min(Number(range[2]) + 1, size)
    if (range !== null && start >= size) {
      response.writeHead(416, { 'content-range': `bytes */${size}` }).end()
      return
    }
    if (range !== null) headers['content-range'] = `bytes ${start}-${end - 1}/${size}`
    const body = this.bytes.subarray(start, end)
    if (unmeasured === undefined) headers['content-length'] = String(body.length)
    if (unmeasured === 'close') {
      headers.connection = 'close'
      response.useChunkedEncodingByDefault = false
    }
    response.writeHead(range === null ? 200 : 206, headers)
    const broken = breaks !== undefined && breaks.times > 0 && body.length > breaks.afterBytes
    const sent = broken ? body.subarray(0, breaks.afterBytes) : body
    for (let from = 0; from < sent.length && !response.destroyed; from += 65_536) {
      const piece = sent.subarray(from, from + 65_536)
      await written(response, piece)
      // The test may have begun to count anew.
      if (requests[at] === request) sentBytes[at]! += piece.length
    }
    if (!broken) {
      response.end()
      return
    }
    response.flushHeaders()
    breaks.times--
    if (breaks.how === 'stall') return
    await wait(RESET_DELAY_MS)
    if (breaks.how === 'reset') request.socket.resetAndDestroy()
    else request.socket.end()
  }
}

/** Settles when the kernel has taken the piece, or the client has gone. */
function written(response: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('close', done)
      resolve()
    }
    response.once('close', done)
    response.write(piece, done)
  })
}

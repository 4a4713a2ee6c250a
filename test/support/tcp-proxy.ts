/** A TCP proxy on loopback that does to connections what networks do: for tests of whoever must survive it. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'

/** What happens to a connection. Of the four that cut, the one with the fewest bytes acts; counts are of one connection. */
export interface TcpFaults {
  /** The connection is accepted and reset at once. */
  readonly refuse?: boolean
  /** The connection is accepted, and nothing passes in either direction: what a host that has gone looks like. */
  readonly blackHole?: boolean
  /** RST to both sides once this many bytes have come from the server. */
  readonly resetAfterBytes?: number
  /** A clean FIN to the client instead, as of a server that is shut down. */
  readonly endAfterBytes?: number
  /** Nothing more comes from the server after this many bytes; the connection stays open. */
  readonly stallAfterBytes?: number
  /** RST to both sides once this many bytes have come from the client. */
  readonly resetAfterSentBytes?: number
  /** Nothing more goes to the server after this many bytes; the connection stays open. */
  readonly stallAfterSentBytes?: number
  /** This byte from the server, counted from 0, arrives as another one. */
  readonly corruptByte?: number
  /** This byte from the client arrives as another one. */
  readonly corruptSentByte?: number
  /** Waited before each piece of data from the server. */
  readonly delayMs?: number
  /** How quickly data comes from the server. */
  readonly bytesPerSecond?: number
  /** Data from the server comes in pieces of this many bytes: 1 is the worst that a parser can meet. */
  readonly pieceBytes?: number
}

export interface TcpProxyOptions {
  /** What happens to all connections, until `proxy.faults` is set. */
  readonly faults?: TcpFaults
  /** What happens to the n-th connection, from 1, in addition to what happens to all. */
  readonly onConnection?: (n: number) => TcpFaults | undefined
}

export interface TcpProxy {
  readonly port: number
  /** What happens to connections that are opened from now on. */
  faults: TcpFaults
  /** Connections accepted so far. */
  readonly accepted: number
  /** Connections that are open now. */
  readonly open: number
  /** Bytes that have come from the server. */
  readonly receivedBytes: number
  /** Resets every connection that is open. */
  resetAll(): void
  /** From now on nothing passes on the connections that are open. */
  stallAll(): void
  stop(): Promise<void>
}

/**
 * A reset that arrives together with data is read as a plain end by libuv, so data is given this long to be read before it:
 * one turn of the reader's event loop is enough.
 */
const RESET_DELAY_MS = 10

/** Starts a proxy in front of a server on loopback. */
export async function startTcpProxy(targetPort: number, options: TcpProxyOptions = {}): Promise<TcpProxy> {
  const links = new Set<Link>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    proxy.accepted++
    const faults = { ...proxy.faults, ...options.onConnection?.(proxy.accepted) }
    const link = new Link(client, targetPort, faults, count => {
      proxy.receivedBytes += count
    })
    links.add(link)
    client.once('close', () => links.delete(link))
  })
  const proxy = {
    port: await listen(server),
    faults: options.faults ?? {},
    accepted: 0,
    get open() {
      return links.size
    },
    receivedBytes: 0,
    resetAll() {
      for (const link of links) link.reset()
    },
    stallAll() {
      for (const link of links) link.stall()
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      for (const link of links) link.reset()
      await closed
    },
  }
  return proxy
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A client's connection and ours to the server. */
class Link {
  readonly #client: Socket
  readonly #upstream: Socket | undefined
  readonly #faults: TcpFaults
  readonly #onReceived: (count: number) => void
  #received = 0
  #sent = 0
  #stalled: boolean

  constructor(client: Socket, port: number, faults: TcpFaults, onReceived: (count: number) => void) {
    this.#client = client
    this.#faults = faults
    this.#onReceived = onReceived
    this.#stalled = faults.blackHole === true
    client.on('error', () => {}) // what is told to the client is a fault to order
    if (faults.refuse === true) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.#upstream = upstream
    upstream.on('error', () => this.reset())
    client.once('close', () => upstream.destroy())
    this.#send(client, upstream).catch(() => this.reset())
    this.#receive(client, upstream).catch(() => this.reset())
  }

  reset(): void {
    // A socket that has not connected yet, or is closed, cannot be reset.
    if (!this.#client.destroyed) this.#client.resetAndDestroy()
    this.#upstream?.destroy()
  }

  stall(): void {
    this.#stalled = true
  }

  /** From the client to the server. */
  async #send(client: Socket, upstream: Socket): Promise<void> {
    const { resetAfterSentBytes: reset = Infinity, stallAfterSentBytes: stall = Infinity } = this.#faults
    for await (const data of client as AsyncIterable<Buffer>) {
      if (this.#stalled) continue
      const room = Math.min(reset, stall) - this.#sent
      const piece = data.subarray(0, room)
      corrupt(piece, (this.#faults.corruptSentByte ?? Infinity) - this.#sent)
      this.#sent += piece.length
      await passOn(piece, upstream)
      if (piece.length < room) continue
      if (reset <= stall) return this.reset()
      // Whatever else the client sends is read and lost, as it would be in the buffers of a host that has gone.
      this.#stalled = true
    }
    // A client that ends what is stalled has given up, and waits for nothing more.
    if (this.#stalled) client.destroy()
    else upstream.end()
  }

  /** From the server to the client. */
  async #receive(client: Socket, upstream: Socket): Promise<void> {
    const { resetAfterBytes: reset = Infinity, endAfterBytes: end = Infinity } = this.#faults
    const { stallAfterBytes: stall = Infinity, delayMs } = this.#faults
    const cut = Math.min(reset, end, stall)
    for await (const data of upstream as AsyncIterable<Buffer>) {
      this.#onReceived(data.length)
      if (this.#stalled) continue
      if (delayMs !== undefined) await wait(delayMs)
      const room = cut - this.#received
      const piece = data.subarray(0, room)
      corrupt(piece, (this.#faults.corruptByte ?? Infinity) - this.#received)
      this.#received += piece.length
      await this.#deliver(piece, client)
      if (piece.length < room) continue
      if (cut === reset) {
        await wait(RESET_DELAY_MS)
        return this.reset()
      }
      if (cut === end) {
        client.end()
        return // leaving the loop destroys the connection to the server
      }
      this.#stalled = true
    }
    if (!this.#stalled) client.end()
  }

  async #deliver(data: Buffer, client: Socket): Promise<void> {
    const { bytesPerSecond, pieceBytes } = this.#faults
    // 50 pieces a second are even enough.
    const step = pieceBytes ?? (bytesPerSecond === undefined ? data.length : Math.ceil(bytesPerSecond / 50))
    for (let start = 0; start < data.length && !client.destroyed && !this.#stalled; start += step) {
      const piece = data.subarray(start, start + step)
      await passOn(piece, client)
      if (bytesPerSecond !== undefined) await wait((1000 * piece.length) / bytesPerSecond)
      else if (pieceBytes !== undefined) await turn()
    }
  }
}

function corrupt(data: Buffer, at: number): void {
  if (at >= 0 && at < data.length) data[at]! ^= 1
}

/** Settles when the kernel has taken the data, so that a reset that follows finds it delivered; also when it never will. */
function passOn(data: Buffer, to: Socket): Promise<void> {
  return new Promise(resolve => {
    if (data.length === 0 || to.destroyed || to.writableEnded) return resolve()
    const done = () => {
      to.off('close', done)
      resolve()
    }
    to.once('close', done)
    to.write(data, done)
  })
}

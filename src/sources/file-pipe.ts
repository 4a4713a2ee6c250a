/**
 * FIFOs and terminals. They may keep a reader or a writer waiting for ever, so they are driven by the event loop: a
 * blocking call would hold a thread of the pool that nothing can free, and an abort would hang.
 */
import { close, constants, fstat, open, type Stats } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isatty, ReadStream, WriteStream } from 'node:tty'
import { promisify } from 'node:util'
import { type ChunkFeed, ChunkIterator } from '../core/chunk-iterator.ts'
import { createError } from '../core/errors.ts'
import type { Abortable, ByteSource } from '../core/types.ts'
import { sinkError, sourceError, systemCode } from './file-errors.ts'
import type { Output } from './file-output.ts'

const openFd = promisify<string, number, number>(open)
const closeFd = promisify<number, void>(close as (fd: number, callback: (error: Error | null) => void) => void)
const statFd = promisify<number, Stats>(fstat)

/** The source at a FIFO or a terminal; undefined where the path is another kind of device. */
export async function openPipeSource(path: string, label: string): Promise<ByteSource | undefined> {
  const fd = await openFd(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    if (isatty(fd)) return new PipeSource(new ReadStream(fd), label)
    if ((await statFd(fd)).isFIFO()) return new PipeSource(new Socket({ fd, readable: true, writable: false }), label)
  } catch (error) {
    await closeFd(fd)
    throw error
  }
  await closeFd(fd)
  return undefined
}

class PipeSource implements ByteSource {
  readonly label: string
  readonly replayable = false
  readonly #socket: Socket
  #stream: ChunkIterator | undefined
  #disposed = false

  constructor(socket: Socket, label: string) {
    this.label = label
    this.#socket = socket
    // A failure before anyone reads is told to whoever does; without a listener it would end the process.
    socket.on('error', () => {})
  }

  stream(options: Abortable = {}): AsyncIterableIterator<Uint8Array> {
    if (this.#disposed) throw createError('HANDLE_CLOSED', 'the source was disposed', { label: this.label })
    if (this.#stream !== undefined) {
      throw createError('NOT_REPLAYABLE', 'a pipe can be read only once', { label: this.label })
    }
    this.#stream = new ChunkIterator(new SocketFeed(this.#socket, this.label), this.label, options.signal)
    return this.#stream
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    const closed = createError('HANDLE_CLOSED', 'the source was disposed while it was read', { label: this.label })
    await this.#stream?.cancel(closed)
    await destroy(this.#socket)
  }
}

class SocketFeed implements ChunkFeed {
  readonly #socket: Socket
  readonly #label: string

  constructor(socket: Socket, label: string) {
    this.#socket = socket
    this.#label = label
  }

  async pull(): Promise<Uint8Array | null> {
    const socket = this.#socket
    for (;;) {
      const chunk: Buffer | null = socket.read()
      if (chunk !== null) return chunk
      if (socket.errored !== null) throw sourceError(socket.errored, this.#label, 'reading failed')
      if (socket.readableEnded || socket.destroyed) return null
      await new Promise<void>(resolve => {
        const events = ['readable', 'end', 'error', 'close'] as const
        const wake = () => {
          for (const event of events) socket.off(event, wake)
          resolve()
        }
        for (const event of events) socket.on(event, wake)
      })
    }
  }

  stop(): Promise<void> {
    return destroy(this.#socket)
  }
}

function destroy(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve()
  return new Promise(resolve => {
    socket.once('close', () => resolve())
    socket.destroy()
  })
}

/** Milliseconds between looks for somebody who reads a FIFO: short at first, then longer. */
const FIRST_WAIT_MS = 2
const LAST_WAIT_MS = 100

/** Opens a FIFO (waiting for its reader) or a terminal; undefined where the path is another kind of device. */
export async function openPipeOutput(
  path: string,
  label: string,
  isFifo: boolean,
  signal: AbortSignal | undefined,
): Promise<Output | undefined> {
  const flags = constants.O_WRONLY | (constants.O_NONBLOCK ?? 0)
  const fd = isFifo ? await openFifo(path, flags, signal) : await openFd(path, flags)
  try {
    if (isatty(fd)) return new SocketOutput(new WriteStream(fd), label)
    if ((await statFd(fd)).isFIFO()) {
      return new SocketOutput(new Socket({ fd, readable: false, writable: true }), label)
    }
  } catch (error) {
    await closeFd(fd)
    throw error
  }
  await closeFd(fd)
  return undefined
}

/** Opening a FIFO without waiting fails with ENXIO until somebody reads it; there is no event for that. */
async function openFifo(path: string, flags: number, signal: AbortSignal | undefined): Promise<number> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LAST_WAIT_MS)) {
    signal?.throwIfAborted()
    try {
      return await openFd(path, flags)
    } catch (error) {
      if (systemCode(error) !== 'ENXIO') throw error
    }
    try {
      await delay(wait, undefined, signal === undefined ? {} : { signal })
    } catch {
      signal?.throwIfAborted()
    }
  }
}

class SocketOutput implements Output {
  readonly #socket: Socket
  readonly #label: string

  constructor(socket: Socket, label: string) {
    this.#socket = socket
    this.#label = label
    socket.on('error', () => {}) // told by the write that it fails
  }

  write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(chunk, error => {
        if (error === null || error === undefined) resolve()
        else reject(sinkError(this.#socket.errored ?? error, this.#label, 'writing failed'))
      })
    })
  }

  // Each write has waited until the system had taken it all: there is nothing left to flush.
  publish(): Promise<void> {
    return destroy(this.#socket)
  }

  discard(): Promise<void> {
    return destroy(this.#socket)
  }
}

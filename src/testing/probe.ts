/** A place whose every step can be watched, held up and broken: what the handle's rules are tested on. */
import type { Abortable, ByteSink, ByteSource, Place } from '../core/types.ts'
import { registerSource } from '../registry.ts'

declare module '../open.ts' {
  interface PluginTargets {
    /** What the suites open. */
    probe: Probe
  }
}

/** A target that plays a file in memory and counts what is done to it. */
export class Probe {
  readonly name: string
  readonly bytes: Uint8Array
  readonly replayable: boolean
  /** Bytes per chunk. */
  chunkBytes = 64
  opened = 0
  closed = 0
  chunksRead = 0
  /** Thrown in place of the chunk of this number, from 0. */
  failAt: { readonly chunk: number; readonly error: Error } | undefined
  /** The chunk of this number, from 0, never comes. */
  stallAt: number | undefined
  /** Settles when the place may open. */
  opening: Promise<void> = Promise.resolve()
  /** What writers have written, and how they ended. */
  written: Buffer[] = []
  ending: 'none' | 'published' | 'aborted' = 'none'
  endings = 0
  failWrite: Error | undefined
  stallWrite = false

  constructor(name: string, content: Uint8Array | string = '', replayable = true) {
    this.name = name
    this.bytes = Buffer.from(content)
    this.replayable = replayable
  }

  get text(): string {
    return Buffer.concat(this.written).toString()
  }
}

const place: Place = {
  async openSource(target) {
    const probe = target as Probe
    await probe.opening
    probe.opened++
    return new ProbeSource(probe)
  },
  async openSink(target, { append }) {
    const probe = target as Probe
    await probe.opening
    probe.opened++
    if (append) probe.written.push(Buffer.from(probe.bytes))
    return new ProbeSink(probe)
  },
}

class ProbeSource implements ByteSource {
  readonly label: string
  readonly replayable: boolean
  readonly #probe: Probe
  #disposed = false

  constructor(probe: Probe) {
    this.label = probe.name
    this.replayable = probe.replayable
    this.#probe = probe
  }

  async *stream({ signal }: Abortable = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { bytes, chunkBytes } = this.#probe
    for (let start = 0, chunk = 0; start < bytes.length; start += chunkBytes, chunk++) {
      signal?.throwIfAborted()
      if (this.#probe.stallAt === chunk) await stall(signal)
      if (this.#probe.failAt?.chunk === chunk) throw this.#probe.failAt.error
      this.#probe.chunksRead++
      yield bytes.subarray(start, start + chunkBytes)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) throw new Error('disposed twice')
    this.#disposed = true
    this.#probe.closed++
  }
}

function stall(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

class ProbeSink implements ByteSink {
  readonly label: string
  readonly #probe: Probe

  constructor(probe: Probe) {
    this.label = probe.name
    this.#probe = probe
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#probe.stallWrite) await new Promise(() => {})
    if (this.#probe.failWrite !== undefined) throw this.#probe.failWrite
    this.#probe.written.push(Buffer.from(chunk))
  }

  async close(): Promise<void> {
    this.#probe.ending = 'published'
    this.#probe.endings++
  }

  async abort(): Promise<void> {
    if (this.#probe.ending !== 'none') return
    this.#probe.ending = 'aborted'
    this.#probe.endings++
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }
}

registerSource({
  id: 'probe',
  title: 'a place to test with',
  reads: true,
  writes: true,
  accepts: target => target instanceof Probe,
  label: target => (target as Probe).name,
  fileName: target => (target as Probe).name,
  load: async () => place,
})

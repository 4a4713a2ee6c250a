/** Local files as a sink. */
import { constants, type Stats } from 'node:fs'
import { access, lstat, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { abortable, whenAborted } from '../core/abort.ts'
import { createError } from '../core/errors.ts'
import type { ByteSink } from '../core/types.ts'
import { sinkError, systemCode } from './file-errors.ts'
import { DeviceOutput, type Output } from './file-output.ts'
import { openPipeOutput } from './file-pipe.ts'
import { ReplacingOutput } from './file-replace.ts'

export interface FileSinkOptions {
  /** Whether what is written follows what the file holds. Default false. */
  readonly append?: boolean | undefined
  /** What messages call the file. Default: the path as given. */
  readonly label?: string | undefined
  /** Aborts the opening, and the sink as `abort(signal.reason)` does. */
  readonly signal?: AbortSignal | undefined
}

/** Links that are followed from one to the next; what Linux follows. */
const MAX_LINKS = 40

/**
 * Opens a local file to write.
 *
 * A regular file is replaced whole or not at all: bytes go to a temp file in the same folder, which `close()` flushes
 * and renames over the target. Until then, and after an abort or a failure, the old file is as it was; of two writers
 * the one that closes last wins. An existing file keeps its mode, and its owner and group where this process may set
 * them; a symbolic link stays and what it points to is replaced. Hard links, ACLs and extended attributes are not
 * carried over. A file that this process may not write is not replaced, though the folder would allow it. What a killed
 * process left is removed by the next write to the same target (`file-temp.ts` has the rule).
 *
 * `append` copies the old file first (at no cost where the file system can share blocks) and publishes in the same
 * step, so that a torn last record cannot come about. If the file is changed by someone else between, `close()` fails
 * and publishes nothing: neither writer's rows are lost in silence.
 *
 * What is no regular file (a FIFO, a terminal, `/dev/null`, `/dev/stdout`) is written in place, as the bytes come.
 *
 * Throws SINK_NOT_FOUND, SINK_DENIED, SINK_FULL, SINK_CLOSED or SINK_FAILED; `signal.reason` when aborted.
 */
export async function openFileSink(path: string, options: FileSinkOptions = {}): Promise<ByteSink> {
  const { append = false, label = path, signal } = options
  signal?.throwIfAborted()
  const opening = openOutput(path, append, label, signal)
  let output: Output
  try {
    output = await abortable(opening, signal)
  } catch (error) {
    // What arrives after an abort is given up.
    if (signal?.aborted === true) opening.then(late => late.discard()).catch(() => {})
    throw error
  }
  return new FileSink(output, label, signal)
}

async function openOutput(
  path: string,
  append: boolean,
  label: string,
  signal: AbortSignal | undefined,
): Promise<Output> {
  const check = () => signal?.throwIfAborted()
  try {
    const { target, stats, inPlace } = await locate(path)
    check()
    if (stats?.isDirectory() === true || (stats === undefined && /[/\\]$/.test(path))) {
      throw createError('SINK_FAILED', 'this is a folder', {
        label,
        expected: 'a file',
        found: 'a folder',
        hint: 'give the path of a file in it',
      })
    }
    if (stats?.isFIFO() === true || stats?.isCharacterDevice() === true) {
      const output = await openPipeOutput(target, label, stats.isFIFO(), signal)
      if (output !== undefined) return output
    }
    if (stats !== undefined && (inPlace || !stats.isFile())) return await DeviceOutput.open(target, stats, label)
    // Replacing asks for rights to the folder only; the file's own say whether it is meant to be changed.
    if (stats !== undefined) await access(target, constants.W_OK)
    return await ReplacingOutput.open(target, { old: stats, append, label, check })
  } catch (error) {
    check()
    throw sinkError(error, label, 'the file cannot be opened to write')
  }
}

interface Located {
  /** Without symbolic links. */
  readonly target: string
  /** Undefined where nothing is there yet. */
  readonly stats: Stats | undefined
  /** An open descriptor of a process: never replaced, even if it is of a regular file. */
  readonly inPlace: boolean
}

/** Follows symbolic links to the file to write, which need not be there yet. */
async function locate(path: string): Promise<Located> {
  let at = resolve(path)
  for (let links = 0; links <= MAX_LINKS; links++) {
    if (isDescriptor(at)) return { target: at, stats: await stat(at), inPlace: true }
    const folder = await realpath(dirname(at))
    at = join(folder, basename(at))
    if (isDescriptor(at)) return { target: at, stats: await stat(at), inPlace: true }
    let stats: Stats
    try {
      stats = await lstat(at)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return { target: at, stats: undefined, inPlace: false }
      throw error
    }
    if (!stats.isSymbolicLink()) return { target: at, stats, inPlace: false }
    at = resolve(folder, await readlink(at))
  }
  throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' })
}

const isDescriptor = (path: string) => /^\/(?:proc\/[^/]+(?:\/task\/[^/]+)?\/fd|dev\/fd)\/\d+$/.test(path)

/** The life of a sink: writes in order, then one end, by `close()` or by `abort()`. */
class FileSink implements ByteSink {
  readonly label: string
  readonly localPath?: string
  readonly #output: Output
  readonly #unlisten: () => void
  /** Rejects what waits when the sink is given up. */
  readonly #givenUp = new AbortController()
  /** What every call is told after a failure or an abort. */
  #failure: { readonly reason: unknown } | undefined
  #queue: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined
  #closed = false
  #discarding: Promise<void> | undefined

  constructor(output: Output, label: string, signal: AbortSignal | undefined) {
    this.label = label
    this.#output = output
    if (output.localPath !== undefined) this.localPath = output.localPath
    this.#unlisten = whenAborted(signal, reason => {
      this.#giveUp(reason).catch(() => {})
    })
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkUsable()
    if (this.#closing !== undefined) {
      throw createError('HANDLE_CLOSED', 'write after the sink was closed', { label: this.label })
    }
    const writing = this.#queue.then(() => this.#write(chunk))
    this.#queue = writing.catch(() => {})
    await abortable(writing, this.#givenUp.signal)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  abort(reason?: unknown): Promise<void> {
    const cause = reason === undefined ? {} : { cause: reason }
    return this.#giveUp(createError('HANDLE_CLOSED', 'the sink was aborted', { label: this.label, ...cause }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  #checkUsable(): void {
    if (this.#failure === undefined) return
    throw this.#failure.reason
  }

  async #write(chunk: Uint8Array): Promise<void> {
    this.#checkUsable()
    try {
      await this.#output.write(chunk)
    } catch (error) {
      throw await this.#fail(error)
    }
  }

  async #close(): Promise<void> {
    // A pipe that nobody reads may hold the queue for ever.
    await abortable(this.#queue, this.#givenUp.signal)
    this.#checkUsable()
    try {
      await this.#output.publish(() => this.#checkUsable())
    } catch (error) {
      throw await this.#fail(sinkError(error, this.label, 'the file cannot be published'))
    }
    this.#closed = true
    this.#unlisten()
  }

  /** Keeps the first failure, gives everything up, and returns what to throw. */
  async #fail(error: unknown): Promise<unknown> {
    this.#failure ??= { reason: error }
    this.#unlisten()
    // What fails while cleaning up must not hide why it was needed.
    await this.#discard().catch(() => {})
    return this.#failure.reason
  }

  async #giveUp(reason: unknown): Promise<void> {
    if (this.#closed) return
    if (this.#failure === undefined) {
      this.#failure = { reason }
      this.#unlisten?.()
      this.#givenUp.abort(reason)
    }
    // A close under way looks at the failure before it renames; what it has published stays.
    if (this.#closing !== undefined) await this.#closing.catch(() => {})
    await this.#discard()
  }

  #discard(): Promise<void> {
    this.#discarding ??= this.#output.discard()
    return this.#discarding
  }
}

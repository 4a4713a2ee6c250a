/** The two ways that bytes reach a local path: through a temp file that replaces it, or in place. */
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { createError } from '../core/errors.ts'
import { sinkError, systemCode } from './file-errors.ts'

/** What a `FileSink` drives. No call overlaps another, but for `discard()`, which may come at any moment. */
export interface Output {
  /** Set where a native engine may write the file itself. */
  readonly localPath?: string
  /** Settles when the chunk is out and its memory may be reused. */
  write(chunk: Uint8Array): Promise<void>
  /** Makes what was written final. `check` throws when it is to be given up after all, and is called until the last moment. */
  publish(check: () => void): Promise<void>
  /** Gives up and releases everything; a write that is under way ends first, or fails. Also called after a failure. */
  discard(): Promise<void>
}

/** One call of the system takes at most 2 GiB. */
const MAX_WRITE_BYTES = 1024 * 1024 * 1024

/** Writes all of a chunk: the system may take less than it is given. */
export async function writeFully(
  file: FileHandle,
  chunk: Uint8Array,
  position: number | null,
  label: string,
): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    let bytesWritten: number
    try {
      const at = position === null ? null : position + done
      const length = Math.min(chunk.length - done, MAX_WRITE_BYTES)
      bytesWritten = (await file.write(chunk, done, length, at)).bytesWritten
    } catch (error) {
      throw sinkError(error, label, position === null ? 'writing failed' : `writing failed at byte ${position + done}`)
    }
    if (bytesWritten === 0)
      throw createError('SINK_FAILED', 'the system takes no more bytes and says no reason', { label })
    done += bytesWritten
  }
}

/** A device, or an open descriptor of this process (`/dev/stdout`): written in place, from where it stands. */
export class DeviceOutput implements Output {
  readonly #file: FileHandle
  readonly #label: string
  #writing: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  private constructor(file: FileHandle, label: string) {
    this.#file = file
    this.#label = label
  }

  static async open(path: string, stats: Stats, label: string): Promise<DeviceOutput> {
    // A regular file here is an open descriptor, to which others have written and may go on writing.
    const flags = stats.isFile() ? constants.O_WRONLY | constants.O_APPEND : constants.O_WRONLY
    return new DeviceOutput(await open(path, flags), label)
  }

  write(chunk: Uint8Array): Promise<void> {
    this.#writing = writeFully(this.#file, chunk, null, this.#label)
    return this.#writing
  }

  async publish(): Promise<void> {
    try {
      await this.#file.sync()
    } catch (error) {
      // Most devices have nothing to flush and say so.
      if (!isUnsupported(error)) throw error
    }
    await this.discard()
  }

  discard(): Promise<void> {
    this.#closing ??= this.#writing.catch(() => {}).then(() => this.#file.close())
    return this.#closing
  }
}

/** Whether the system says that it cannot do this here, rather than that it failed. */
export function isUnsupported(error: unknown): boolean {
  return ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR', 'EBADF'].includes(systemCode(error) ?? '')
}

/** What stands at a path, or undefined. */
export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

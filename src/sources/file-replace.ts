/** Output that replaces a file whole: written to a temp file beside it, flushed, then renamed over it. */
import { type BigIntStats, constants, type Stats } from 'node:fs'
import { copyFile, type FileHandle, open, rename, rm, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createError } from '../core/errors.ts'
import { systemCode } from './file-errors.ts'
import { isUnsupported, type Output, statIfThere, writeFully } from './file-output.ts'
import { removeAbandoned, signsOfLife, tempName } from './file-temp.ts'

const COPY_BYTES = 1024 * 1024
/** An existing file may be secret: until its mode is given to the new one, nobody else may open that. */
const PRIVATE_MODE = 0o600
const NEW_FILE_MODE = 0o666

/** What must not have changed under an append. */
type Identity = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs'>

export interface ReplaceOptions {
  /** What stands at the target now, if anything does. */
  readonly old: Stats | undefined
  /** Whether the new file begins with what the old one holds. */
  readonly append: boolean
  readonly label: string
  /** Throws when the opening is to be given up. */
  readonly check: () => void
}

/** Publishes of one target by this process, one after the other: an append must see what the one before it published. */
const publishing = new Map<string, Promise<void>>()

export class ReplacingOutput implements Output {
  readonly localPath: string
  readonly #target: string
  readonly #label: string
  readonly #old: Stats | undefined
  readonly #stopSigns: () => void
  /** Removal of what killed writers left; it goes on beside the writing. */
  readonly #sweep: Promise<void>
  #file: FileHandle
  #fileOpen = true
  #position: number
  /** The file that was copied, in append mode. */
  readonly #basis: Identity | undefined
  #writing: Promise<void> = Promise.resolve()
  #published = false
  #discarding: Promise<void> | undefined

  private constructor(
    target: string,
    temp: string,
    file: FileHandle,
    options: ReplaceOptions,
    basis: Identity | undefined,
  ) {
    this.localPath = temp
    this.#target = target
    this.#label = options.label
    this.#old = options.old
    this.#file = file
    this.#basis = basis
    this.#position = Number(basis?.size ?? 0)
    this.#stopSigns = signsOfLife(file)
    this.#sweep = removeAbandoned(dirname(temp), target, basename(temp))
  }

  /** `target` is an absolute path without symbolic links, of a regular file or of nothing. */
  static async open(target: string, options: ReplaceOptions): Promise<ReplacingOutput> {
    const temp = join(dirname(target), tempName(target))
    if (options.append && options.old !== undefined) {
      const { file, basis } = await copyToTemp(target, temp, options)
      return new ReplacingOutput(target, temp, file, options, basis)
    }
    const file = await createTemp(temp, options.old === undefined ? NEW_FILE_MODE : PRIVATE_MODE)
    return new ReplacingOutput(target, temp, file, options, undefined)
  }

  write(chunk: Uint8Array): Promise<void> {
    this.#writing = writeFully(this.#file, chunk, this.#position, this.#label)
    this.#position += chunk.length
    return this.#writing
  }

  async publish(check: () => void): Promise<void> {
    await this.#sweep
    check()
    await this.#takeWritten()
    if (this.#fileOpen) {
      await keepOwnership(this.#file, (await statIfThere(this.#target)) ?? this.#old)
      check()
      await this.#file.sync()
    }
    await this.#close()
    await inTurn(this.#target, async () => {
      await this.#checkBasis()
      check()
      await rename(this.localPath, this.#target)
      this.#published = true
    })
    await flushFolder(dirname(this.#target))
  }

  discard(): Promise<void> {
    this.#discarding ??= this.#discard()
    return this.#discarding
  }

  async #discard(): Promise<void> {
    await this.#writing.catch(() => {})
    await this.#sweep
    await this.#close()
    if (!this.#published) await rm(this.localPath, { recursive: true, force: true })
  }

  async #close(): Promise<void> {
    this.#stopSigns()
    if (!this.#fileOpen) return
    this.#fileOpen = false
    await this.#file.close()
  }

  /** A native engine may have put a file, or a folder of files, at the temp path: then that is published. */
  async #takeWritten(): Promise<void> {
    const mine = await this.#file.stat()
    const there = await statIfThere(this.localPath)
    if (there === undefined) {
      throw createError('SINK_FAILED', 'the temp file was removed before it could be published', {
        label: this.#label,
        expected: `a file at ${this.localPath}`,
        found: 'none',
        hint: 'find out what removes files there, then write again',
      })
    }
    if (there.ino === mine.ino && there.dev === mine.dev) return
    await this.#close()
    if (there.isDirectory()) return
    this.#file = await open(this.localPath, 'r+')
    this.#fileOpen = true
  }

  async #checkBasis(): Promise<void> {
    if (this.#basis !== undefined) await checkUnchanged(this.#target, this.#basis, this.#label)
  }
}

function createTemp(temp: string, mode: number): Promise<FileHandle> {
  return open(temp, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode)
}

async function copyToTemp(
  target: string,
  temp: string,
  { label, check }: ReplaceOptions,
): Promise<{ file: FileHandle; basis: Identity }> {
  const source = await open(target, constants.O_RDONLY)
  let file: FileHandle | undefined
  try {
    const basis = await source.stat({ bigint: true })
    file = await cloneToTemp(target, temp)
    if (file === undefined) {
      file = await createTemp(temp, PRIVATE_MODE)
      await copyBytes(source, file, Number(basis.size), label, check)
    }
    await checkUnchanged(target, basis, label)
    return { file, basis }
  } catch (error) {
    await file?.close()
    if (file !== undefined) await unlinkIfThere(temp)
    throw error
  } finally {
    await source.close()
  }
}

/** A copy that shares its blocks with the original, where the file system can do that. */
async function cloneToTemp(target: string, temp: string): Promise<FileHandle | undefined> {
  try {
    await copyFile(target, temp, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
  } catch {
    return undefined
  }
  try {
    return await open(temp, constants.O_WRONLY)
  } catch (error) {
    await unlinkIfThere(temp)
    throw error
  }
}

async function copyBytes(
  source: FileHandle,
  file: FileHandle,
  size: number,
  label: string,
  check: () => void,
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(COPY_BYTES, Math.max(size, 1)))
  for (let position = 0; position < size; ) {
    check()
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, size - position), position)
    if (bytesRead === 0) throw changed(label)
    await writeFully(file, buffer.subarray(0, bytesRead), position, label)
    position += bytesRead
  }
}

async function checkUnchanged(target: string, basis: Identity, label: string): Promise<void> {
  let now: BigIntStats
  try {
    now = await stat(target, { bigint: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw changed(label)
    throw error
  }
  const same =
    now.dev === basis.dev && now.ino === basis.ino && now.size === basis.size && now.mtimeNs === basis.mtimeNs
  if (!same) throw changed(label)
}

function changed(label: string): Error {
  return createError('SINK_FAILED', 'the file was changed by someone else while rows were appended to it', {
    label,
    expected: 'the file as it was when the appending began',
    found: 'another one',
    hint: 'nothing was published: append again',
  })
}

/** Gives the new file the mode, and where that is permitted the owner and group, of the one that it replaces. */
async function keepOwnership(file: FileHandle, old: Stats | undefined): Promise<void> {
  if (old === undefined || process.platform === 'win32') return
  const mine = await file.stat()
  const { uid, gid } = old
  let owner = { uid: mine.uid, gid: mine.gid }
  for (const wanted of [
    { uid, gid },
    { uid: mine.uid, gid },
  ]) {
    if (owner.uid === wanted.uid && owner.gid === wanted.gid) break
    try {
      await file.chown(wanted.uid, wanted.gid)
      owner = wanted
      break
    } catch (error) {
      if (systemCode(error) !== 'EPERM' && !isUnsupported(error)) throw error
    }
  }
  let mode = old.mode & 0o7777
  // Rights that were meant for another owner or group are not handed to this one.
  if (owner.uid !== uid || owner.gid !== gid) mode &= 0o1777
  if (owner.gid !== gid) mode = (mode & ~0o070) | ((mode & 0o007) << 3)
  if (mode !== (mine.mode & 0o7777) || owner.uid !== mine.uid || owner.gid !== mine.gid) await file.chmod(mode)
}

/** Runs `work` after what was asked for the same target before. */
async function inTurn(target: string, work: () => Promise<void>): Promise<void> {
  const before = publishing.get(target)
  const turn = (before ?? Promise.resolve()).then(work)
  const settled = turn.catch(() => {})
  publishing.set(target, settled)
  try {
    await turn
  } finally {
    if (publishing.get(target) === settled) publishing.delete(target)
  }
}

/** Makes a rename last through a power loss. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  let handle: FileHandle
  try {
    handle = await open(folder, constants.O_RDONLY)
  } catch (error) {
    // A folder that may be written but not read cannot be flushed by anyone but the system.
    if (systemCode(error) === 'EACCES' || isUnsupported(error)) return
    throw error
  }
  try {
    await handle.sync()
  } catch (error) {
    if (!isUnsupported(error)) throw error
  } finally {
    await handle.close()
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/**
 * Temp files that are gone when nobody uses them any more: removed by whoever made them, at the exit of the process, and,
 * where a process was killed, by the next one that makes any.
 *
 * A name tells its process: `<process>-<start>-<place>-<random>`, where `<place>` stands for the boot of the kernel and the
 * process namespace, and `<start>` for the moment the process started. What cannot be told for sure stays for a week.
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open, opendir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createError } from './errors.ts'
import { isGone, thisProcess } from './process-mark.ts'

const SUFFIX = '.tmp'
const ABANDONED_AFTER_MS = 7 * 24 * 60 * 60 * 1000

/** A temp file that is open for reading and writing. Disposing it closes and removes it. */
export interface TempFile extends AsyncDisposable {
  readonly path: string
  readonly handle: FileHandle
}

/** Makes an empty temp file that only this user can read. */
export async function openTempFile(folder?: string | undefined): Promise<TempFile> {
  const path = await claimTempPath(folder)
  let handle: FileHandle
  try {
    handle = await open(path, 'wx+', 0o600)
  } catch (error) {
    release(path)
    throw error
  }
  let disposing: Promise<void> | undefined
  return {
    path,
    handle,
    [Symbol.asyncDispose]() {
      disposing ??= (async () => {
        try {
          await handle.close()
        } finally {
          await rm(path, { force: true })
          release(path)
        }
      })()
      return disposing
    },
  }
}

/**
 * A path in the folder for temp files at which there is nothing yet. Whatever is made there is removed at the exit of the
 * process, or by the next one; whoever removes it before says so by `releaseTempPath`.
 */
export async function claimTempPath(folder: string = defaultFolder()): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (folder === defaultFolder()) await checkOwner(folder)
  await removeAbandoned(folder)
  const { pid, start, place } = thisProcess()
  const path = join(folder, `${pid}-${start}-${place}-${randomBytes(6).toString('hex')}${SUFFIX}`)
  if (live.size === 0) process.on('exit', removeLive)
  live.add(path)
  return path
}

export const releaseTempPath = release

/** Makes a folder that only this user can look into, which goes as a temp file does. */
export async function makeTempFolder(parent?: string | undefined): Promise<string> {
  const path = await claimTempPath(parent)
  await mkdir(path, { mode: 0o700 })
  return path
}

export async function removeTempFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
  release(path)
}

const live = new Set<string>()

function release(path: string): void {
  live.delete(path)
  if (live.size === 0) process.off('exit', removeLive)
}

function removeLive(): void {
  for (const path of live) rmSync(path, { force: true, recursive: true })
}

/** Of each user its own, as a folder of one cannot be written by another. */
function defaultFolder(): string {
  return join(tmpdir(), `open-iterable-${process.getuid?.() ?? 'temp'}`)
}

/** In a folder that all may write to, another may have made ours beforehand, to look into what we put there. */
async function checkOwner(folder: string): Promise<void> {
  const uid = process.getuid?.()
  const info = await lstat(folder)
  if (!info.isDirectory() || (uid !== undefined && info.uid !== uid)) {
    throw createError('SINK_DENIED', 'the folder for temp files belongs to somebody else', { label: folder })
  }
  if (uid !== undefined && (info.mode & 0o077) !== 0) await chmod(folder, 0o700)
}

/** Folders that have been looked through by this process. */
const swept = new Set<string>()

async function removeAbandoned(folder: string): Promise<void> {
  if (swept.has(folder)) return
  swept.add(folder)
  try {
    for await (const { name } of await opendir(folder)) {
      const owner = /^(\d+)-(\w+)-([0-9a-f]+)-[0-9a-f]{12}\.tmp$/.exec(name)
      if (owner === null) continue
      const path = join(folder, name)
      try {
        const gone =
          isGone({ pid: Number(owner[1]), start: owner[2]!, place: owner[3]! }) ??
          Date.now() - (await stat(path)).mtimeMs > ABANDONED_AFTER_MS
        if (gone) await rm(path, { force: true, recursive: true })
      } catch {
        // Another process was quicker, or it is not ours to remove.
      }
    }
  } catch {
    // Debris that cannot be looked at must not stop a read.
  }
}

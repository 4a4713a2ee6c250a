/**
 * Temp files that stand beside the file they will replace: how they are named, and when one that was left behind by a
 * killed process may be removed.
 *
 * A name tells its writer: `.people.csv.<process>-<start>-<place>-<random>.open-iterable.tmp`, where `<place>` stands for
 * the boot of the kernel and the process namespace (the container), and `<start>` for the moment the process started.
 * The rule, made so that a writer that lives never loses its file:
 *
 * 1. Same place: the file goes when its process is gone, or when its number now belongs to a process that started at
 *    another moment. A process that lives keeps its file however old it is.
 * 2. Another place (another container or host that shares the folder, or an earlier boot), or a place or process that
 *    cannot be told for sure: nothing here can see that process, so the file stays for a week after the last sign of
 *    life. A writer that lives gives one every hour. Ages are compared by the clock of the file system.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, opendir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isGone, type ProcessMark, thisProcess } from '../core/process-mark.ts'

const SUFFIX = '.open-iterable.tmp'
const SIGN_OF_LIFE_MS = 60 * 60 * 1000
const ABANDONED_AFTER_MS = 7 * 24 * 60 * 60 * 1000
/** Bytes of a file name that the file systems in use allow. */
const MAX_NAME_BYTES = 255
/** Bytes that all but the target's name may take. */
const MAX_MARK_BYTES = 90

/** A name for a temp file of `target`, which no other writer takes. */
export function tempName(target: string, writer: ProcessMark = thisProcess()): string {
  const { pid, start, place } = writer
  return `${prefixOf(target)}${pid}-${start}-${place}-${randomBytes(6).toString('hex')}${SUFFIX}`
}

/** What the names of all temp files of a target begin with; a long name is cut and told apart by its hash. */
function prefixOf(target: string): string {
  const name = basename(target)
  if (Buffer.byteLength(name) + MAX_MARK_BYTES <= MAX_NAME_BYTES) return `.${name}.`
  const cut = Buffer.from(name)
    .subarray(0, 120)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')
  return `.${cut}~${hash(name)}.`
}

/**
 * Removes what killed writers of `target` left in `folder`. `own` is a temp file just made there; its time is the file
 * system's now. Failures are not told: debris that cannot be removed must not stop a write.
 */
export async function removeAbandoned(folder: string, target: string, own: string): Promise<void> {
  const prefix = prefixOf(target)
  try {
    const now = (await stat(join(folder, own))).mtimeMs
    for await (const { name } of await opendir(folder)) {
      if (name === own || !name.startsWith(prefix) || !name.endsWith(SUFFIX)) continue
      const writer = parseMark(name.slice(prefix.length, -SUFFIX.length))
      if (writer === undefined) continue
      const path = join(folder, name)
      try {
        const gone = isGone(writer) ?? now - (await stat(path)).mtimeMs > ABANDONED_AFTER_MS
        // A native engine may have made a folder of it.
        if (gone) await rm(path, { recursive: true, force: true })
      } catch {
        // Another writer was quicker to remove it, or it is not ours to remove.
      }
    }
  } catch {
    // A folder that can be written but not listed.
  }
}

function parseMark(mark: string): ProcessMark | undefined {
  const parts = /^(\d+)-(\d+)-([0-9a-f]+)-[0-9a-f]{12}$/.exec(mark)
  return parts === null ? undefined : { pid: Number(parts[1]), start: parts[2]!, place: parts[3]! }
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12)

/** Keeps the temp file's time fresh while its writer lives; gives back what ends that. */
export function signsOfLife(file: FileHandle): () => void {
  const timer = setInterval(() => {
    const now = new Date()
    file.utimes(now, now).catch(() => {})
  }, SIGN_OF_LIFE_MS)
  timer.unref()
  return () => clearInterval(timer)
}

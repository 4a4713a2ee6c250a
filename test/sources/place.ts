/** A folder for tests on files, and what this process holds open in it. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** User and group ids that own nothing. */
const NOBODY = 65534

export class TestFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'open-iterable-'))
  #count = 0

  constructor() {
    chmodSync(this.path, 0o755)
  }

  /** A path that nothing stands at. */
  fresh(name = 'file.bin'): string {
    return join(this.path, `${++this.#count}-${name}`)
  }

  fifo(): string {
    const path = this.fresh('fifo')
    execFileSync('mkfifo', [path])
    return path
  }

  /** Descriptors of this process for files in this folder, whose name is `path` where that is given. */
  openCount(path = this.path): number {
    return readdirSync('/proc/self/fd').filter(fd => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path)
      } catch {
        return false // the descriptor of the listing itself
      }
    }).length
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Descriptors that this process holds. */
export const descriptors = () => readdirSync('/proc/self/fd').length

/** Runs `work` as a user who owns nothing. For anybody but root that is who we are already. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work()
  process.setegid!(NOBODY)
  process.seteuid!(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid!(0)
    process.setegid!(0)
  }
}

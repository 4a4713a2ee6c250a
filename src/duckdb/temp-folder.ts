/** Folders for temp files, which go when they are done with, or with the next one if their process was killed. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = 'open-iterable-temp'

/** Makes a folder of this process's own. */
export async function makeTempFolder(parent = tmpdir()): Promise<string> {
  const root = join(parent, `${ROOT}-${process.getuid?.() ?? 0}`)
  const folder = join(root, `${process.pid}-${place()}-${randomBytes(6).toString('hex')}`)
  // Rows may be secret.
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await removeAbandoned(root)
  return folder
}

export function removeTempFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true })
}

/** What killed processes of this machine and boot left. Failures are not told: they must not stop a write. */
async function removeAbandoned(root: string): Promise<void> {
  try {
    for (const name of await readdir(root)) {
      const [, pid, where] = /^(\d+)-([0-9a-f]+)-[0-9a-f]{12}$/.exec(name) ?? []
      if (pid === undefined || where !== place() || isAlive(Number(pid))) continue
      await rm(join(root, name), { recursive: true, force: true })
    }
  } catch {
    // Another process was quicker, or it is not ours to remove.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: unknown }).code !== 'ESRCH'
  }
}

let here: string | undefined

/** Where process numbers mean the same processes. */
function place(): string {
  here ??= createHash('sha256').update(describePlace()).digest('hex').slice(0, 12)
  return here
}

function describePlace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

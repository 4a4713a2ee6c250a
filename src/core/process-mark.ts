/** Marks in names of temp files that tell whose they are, so that what a killed process left can be removed. */
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'

export interface ProcessMark {
  readonly pid: number
  /** When the process started, in the system's own unit; '0' where that cannot be told. */
  readonly start: string
  /** The boot and the process namespace; '0' where they cannot be told. */
  readonly place: string
}

/** Whether the process is gone for sure (true) or lives for sure (false); undefined where that cannot be told. */
export function isGone({ pid, start, place }: ProcessMark): boolean | undefined {
  const here = thisProcess()
  if (place === '0' || place !== here.place) return undefined
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ESRCH') return true
  }
  const now = startOf(pid)
  if (now === '0' || start === '0') return pid === process.pid ? false : undefined
  return now !== start
}

let here: ProcessMark | undefined

/** This process, as it marks its temp files. */
export function thisProcess(): ProcessMark {
  here ??= { pid: process.pid, start: startOf(process.pid), place: placeOf() }
  return here
}

function placeOf(): string {
  if (process.platform === 'linux') {
    try {
      // A /proc that numbers processes as another namespace does would tell of the wrong ones.
      if (readlinkSync('/proc/self') !== String(process.pid)) return '0'
      return hash(`${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}${readlinkSync('/proc/self/ns/pid')}`)
    } catch {
      return '0'
    }
  }
  // Elsewhere processes are numbered per machine; the addresses tell machines of one name apart.
  const addresses = Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ mac }) => mac))
  return hash([hostname(), ...new Set(addresses)].sort().join(' '))
}

/**
 * The moment a process started, in clock ticks since boot (Linux); '0' where it cannot be told, 'ended' for one that has
 * ended and only waits for its parent to take note.
 */
function startOf(pid: number): string {
  if (process.platform !== 'linux') return '0'
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets and may hold anything; the state is the third, the start time
    // the 22nd.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : (fields[19] ?? '0')
  } catch {
    return '0'
  }
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12)

/**
 * One measurement: a process of its own, so that no heap, no optimised code and no file descriptor of another
 * measurement is in it. Told by its argument which case, variant and input; answers over the IPC channel.
 */
import { readFileSync } from 'node:fs'

const job = JSON.parse(process.argv[2])
const { variants } = await import(`../cases/${job.case}.mjs`)

/** Times what lies between `start` (by default the call of the variant) and `stop` (by default its end). */
class Clock {
  #startedAt = 0
  #cpuAtStart = process.cpuUsage()
  /** @type {{ ms: number, cpuMs: number } | undefined} */
  #reading

  start() {
    this.#reading = undefined
    this.#cpuAtStart = process.cpuUsage()
    this.#startedAt = performance.now()
  }

  stop() {
    const ms = performance.now() - this.#startedAt
    const { user, system } = process.cpuUsage(this.#cpuAtStart)
    this.#reading ??= { ms, cpuMs: (user + system) / 1000 }
    return this.#reading
  }
}

const clock = new Clock()
clock.start()
const outcome = await variants[job.variant](job.input, clock)
// What runs in another process, as Python does, has figures of its own.
process.send({ ...clock.stop(), peakRss: peakRss(), ...outcome }, () => process.disconnect())

/** Bytes. On Linux from the process itself: what getrusage() says can be the parent's, from before exec. */
function peakRss() {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}

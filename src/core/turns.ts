/** Work on the main thread, cut so that the rest of the process gets its turn. */
import { setImmediate } from 'node:timers/promises'

/** How long one may hold the thread before the others get their turn, milliseconds. */
const TURN_MS = 10

export class Turns {
  #began = performance.now()

  /** To be awaited between two pieces of work: gives the others a turn where the own one has taken long enough. */
  pause(): Promise<void> | undefined {
    return performance.now() - this.#began < TURN_MS ? undefined : this.#giveWay()
  }

  async #giveWay(): Promise<void> {
    await setImmediate()
    this.#began = performance.now()
  }
}

/**
 * Who may run a query now. A query holds a thread of libuv's pool, which has four for the whole process, from its start
 * to its end; with more than a few of them no file is opened and no name looked up any more. A query that is streamed
 * holds its slot only while a chunk is fetched, so that any number of readers may be open at once.
 */
import { abortable } from '../core/abort.ts'

/** Queries that run at once. The pool has four threads unless UV_THREADPOOL_SIZE says otherwise. */
export const MAX_RUNNING_QUERIES = 2

let running = 0
const waiting: (() => void)[] = []

/** Takes a slot, if one is free. Every slot is given back by one call of `releaseSlot`. */
export function takeSlot(): boolean {
  if (running >= MAX_RUNNING_QUERIES) return false
  running++
  return true
}

/** Waits for a slot, in the order of the calls. Rejects with the signal's reason, and then holds none. */
export async function waitForSlot(signal?: AbortSignal | undefined): Promise<void> {
  if (takeSlot()) return
  let given = false
  let enter = () => {}
  const turn = new Promise<void>(resolve => {
    enter = () => {
      given = true
      resolve()
    }
  })
  waiting.push(enter)
  try {
    await abortable(turn, signal)
  } catch (reason) {
    const at = waiting.indexOf(enter)
    if (at >= 0) waiting.splice(at, 1)
    else if (given) releaseSlot()
    throw reason
  }
}

export function releaseSlot(): void {
  const next = waiting.shift()
  if (next === undefined) running--
  else next()
}

/** A bounded set of things that are dear to make and can be used again: connections, sessions, workers. */
import { createError } from '../core/errors.ts'
import { invalidOption } from '../core/options.ts'
import type { Abortable } from '../core/types.ts'
import { type Clocked, systemClock } from './clock.ts'
import { type Permit, Semaphore } from './semaphore.ts'
import { withTimeout } from './timeout.ts'

/** Options of a `ResourcePool`. */
export interface ResourcePoolOptions<T> extends Clocked {
  /** Most resources that there are at once. */
  readonly max: number
  /** Makes a resource. The signal aborts when nobody waits for it any more. */
  readonly create: (options: { readonly signal: AbortSignal }) => T | PromiseLike<T>
  /**
   * Lets go of a resource. What it throws becomes a process warning, RESOURCE_CLEANUP. Default: nothing is to be done.
   */
  readonly destroy?: ((resource: T) => unknown) | undefined
  /** Whether a resource that lay idle is still good. A throw means no. Default: all are. */
  readonly validate?: ((resource: T) => boolean | PromiseLike<boolean>) | undefined
  /** How long a resource may lie idle before it is let go of, milliseconds; Infinity: for ever. Default: 30 000. */
  readonly idleTimeoutMs?: number | undefined
  /** How long `acquire` may wait, milliseconds; Infinity: for ever. Default: 30 000. */
  readonly acquireTimeoutMs?: number | undefined
  /** Names the pool in messages; without credentials. Default: none. */
  readonly label?: string | undefined
}

/** A resource that is in use. Disposing it releases it. */
export interface Lease<T> extends AsyncDisposable {
  /** The resource itself. */
  readonly resource: T
  /** Gives the resource back. Idempotent. */
  release(): Promise<void>
  /** Gives the resource back as one that is broken: it is let go of. Idempotent. */
  discard(): Promise<void>
}

interface Idle<T> {
  readonly resource: T
  readonly forget: () => void
}

/**
 * Resources are made when they are asked for, and given out in the order of asking. The one used last is used first, so
 * that those not needed grow old and go. Disposing the pool refuses and rejects with POOL_CLOSED, waits for the resources
 * that are in use, and lets go of all.
 *
 * ```ts
 * await using pool = new ResourcePool({ max: 4, create: () => connect(), destroy: connection => connection.end() })
 * await using lease = await pool.acquire({ signal })
 * await lease.resource.query('select 1')
 * ```
 */
export class ResourcePool<T> implements AsyncDisposable {
  readonly #options: ResourcePoolOptions<T>
  readonly #permits: Semaphore
  readonly #idle: Idle<T>[] = []
  /** Resources that are being let go of because they lay idle. */
  readonly #leaving = new Set<Promise<void>>()
  #disposing: Promise<void> | undefined

  /** @throws OptionError OPTION_INVALID */
  constructor(options: ResourcePoolOptions<T>) {
    const { max, idleTimeoutMs = 0, acquireTimeoutMs = 0 } = options
    if (!(Number.isInteger(max) && max >= 1)) throw invalidOption('max', 'a whole number from 1', max)
    if (!(idleTimeoutMs >= 0)) throw invalidOption('idleTimeoutMs', 'milliseconds from 0', idleTimeoutMs)
    if (!(acquireTimeoutMs >= 0)) throw invalidOption('acquireTimeoutMs', 'milliseconds from 0', acquireTimeoutMs)
    this.#options = options
    this.#permits = new Semaphore(max)
  }

  /** Resources in use, those that are being made included. */
  get inUse(): number {
    return this.#permits.inUse
  }
  /** Resources that lie idle. */
  get idle(): number {
    return this.#idle.length
  }
  /** How many wait for one. */
  get waiting(): number {
    return this.#permits.waiting
  }

  /**
   * Waits for a resource.
   *
   * @throws LimitError POOL_EXHAUSTED after `acquireTimeoutMs`; StateError POOL_CLOSED; `signal.reason`; what `create`
   * throws.
   */
  acquire({ signal }: Abortable = {}): Promise<Lease<T>> {
    if (this.#disposing !== undefined) return Promise.reject(this.#closed())
    const { acquireTimeoutMs = 30_000, clock } = this.#options
    return withTimeout<Lease<T>>(waiting => this.#lease(waiting), acquireTimeoutMs, {
      signal,
      clock,
      onTimeout: () => this.#exhausted(acquireTimeoutMs),
      // Nobody waits for it any more: it is for the next one.
      onLate: lease => void lease.release(),
    })
  }

  /** The resource that was used last, if it lies idle, is good and nobody waits; `undefined` otherwise. */
  tryAcquire(): Lease<T> | undefined {
    if (this.#disposing !== undefined || this.#idle.length === 0) return undefined
    const { validate } = this.#options
    const idle = this.#idle.at(-1)!
    try {
      // One that is not good, or has to be asked first, is for `acquire`.
      if (validate !== undefined && validate(idle.resource) !== true) return undefined
    } catch {
      return undefined
    }
    const permit = this.#permits.tryAcquire()
    if (permit === undefined) return undefined
    this.#idle.pop()
    idle.forget()
    return this.#lend(idle, permit)
  }

  /** Runs `operation` with a resource, which is let go of where the operation throws and `discardOnError` says so. */
  async use<R>(
    operation: (resource: T) => R | PromiseLike<R>,
    options: Abortable & { readonly discardOnError?: boolean | undefined } = {},
  ): Promise<R> {
    const lease = await this.acquire(options)
    try {
      return await operation(lease.resource)
    } catch (error) {
      if (options.discardOnError === true) await lease.discard()
      throw error
    } finally {
      await lease.release()
    }
  }

  /** Refuses and rejects with POOL_CLOSED, waits for the resources in use, and lets go of all. Idempotent. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#drain()
    return this.#disposing
  }

  async #lease(signal: AbortSignal): Promise<Lease<T>> {
    const permit = await this.#permits.acquire({ signal })
    try {
      return this.#lend((await this.#reuse()) ?? { resource: await this.#options.create({ signal }) }, permit)
    } catch (error) {
      permit.release()
      throw error
    }
  }

  /** The idle resource that was used last and is still good. */
  async #reuse(): Promise<{ readonly resource: T } | undefined> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      idle.forget()
      if (await this.#isGood(idle.resource)) return idle
      await this.#destroy(idle.resource)
    }
    return undefined
  }

  async #isGood(resource: T): Promise<boolean> {
    try {
      return (await this.#options.validate?.(resource)) ?? true
    } catch {
      return false
    }
  }

  #lend({ resource }: { readonly resource: T }, permit: Permit): Lease<T> {
    let returned: Promise<void> | undefined
    const giveBack = (good: boolean) => {
      returned ??= this.#giveBack(resource, permit, good)
      return returned
    }
    return {
      resource,
      release: () => giveBack(true),
      discard: () => giveBack(false),
      [Symbol.asyncDispose]: () => giveBack(true),
    }
  }

  async #giveBack(resource: T, permit: Permit, good: boolean): Promise<void> {
    const { idleTimeoutMs = 30_000 } = this.#options
    if (good && this.#disposing === undefined && idleTimeoutMs > 0) this.#rest(resource, idleTimeoutMs)
    else await this.#destroy(resource)
    // Only now, so that there are never more than `max`.
    permit.release()
  }

  #rest(resource: T, idleTimeoutMs: number): void {
    const { clock = systemClock } = this.#options
    const expire = () => {
      this.#idle.splice(this.#idle.indexOf(idle), 1)
      const leaving = this.#destroy(resource).finally(() => this.#leaving.delete(leaving))
      this.#leaving.add(leaving)
    }
    const forget = idleTimeoutMs === Number.POSITIVE_INFINITY ? () => {} : clock.schedule(expire, idleTimeoutMs, true)
    const idle: Idle<T> = { resource, forget }
    this.#idle.push(idle)
  }

  async #destroy(resource: T): Promise<void> {
    try {
      await this.#options.destroy?.(resource)
    } catch (error) {
      process.emitWarning(`${this.#options.label ?? 'pool'}: letting go of a resource failed: ${error}`, {
        type: 'OpenIterableWarning',
        code: 'RESOURCE_CLEANUP',
      })
    }
  }

  async #drain(): Promise<void> {
    this.#permits.rejectWaiting(this.#closed())
    const idle = this.#idle.splice(0)
    for (const { forget } of idle) forget()
    await Promise.all([...idle.map(({ resource }) => this.#destroy(resource)), ...this.#leaving])
    // All permits are there once nothing is in use.
    await this.#permits.acquire({ weight: this.#options.max })
  }

  #closed(): Error {
    return createError('POOL_CLOSED', 'the pool is disposed', { label: this.#options.label })
  }

  #exhausted(timeoutMs: number): Error {
    const { label, max } = this.#options
    return createError(
      'POOL_EXHAUSTED',
      `no resource became free within ${timeoutMs} ms: ${this.inUse} of ${max} are in use, ${this.waiting} wait`,
      { label, hint: 'release what is not needed any more, or raise max or acquireTimeoutMs' },
    )
  }
}

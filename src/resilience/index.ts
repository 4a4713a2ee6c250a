/** Parts for dealing with what fails, is slow, or is scarce. Each is usable alone, and takes a clock for its tests. */

export { type BackgroundOptions, type BackgroundTask, background } from './background.ts'
export { Backoff, type BackoffOptions } from './backoff.ts'
export { CircuitBreaker, type CircuitBreakerOptions, type CircuitEvent, type CircuitState } from './circuit-breaker.ts'
export { type Clock, type Clocked, sleep, systemClock } from './clock.ts'
export { type PartitionedResults, partitionSettled, type SettledFailure } from './partition-settled.ts'
export { type Lease, ResourcePool, type ResourcePoolOptions } from './resource-pool.ts'
export { type Attempt, type RetryEvent, type RetryOptions, RetryPolicy, type Trying } from './retry.ts'
export { type AcquireOptions, type Permit, RateLimiter, type RateLimiterOptions, Semaphore } from './semaphore.ts'
export { PRIORITIES, type Priority, type Task, type TaskOptions, TaskRunner } from './task-runner.ts'
export { type TimeoutOptions, withTimeout } from './timeout.ts'
export { isTransient, parseRetryAfter, retryAfterMsOf, TRANSIENT_CODES, TRANSIENT_STATUSES } from './transient.ts'
export { Watchdog, type WatchdogOptions } from './watchdog.ts'

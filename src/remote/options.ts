/** The options that reading has of every place that is reached over a network. */
import { is, type OptionEntry, type OptionTable } from '../core/options.ts'
import { type RetryOptions, RetryPolicy } from '../resilience/retry.ts'

/** Options of every place that is reached over a network. */
export interface RemoteOptions {
  /**
   * How long the other side may be silent while it is waited for, in milliseconds: until it answers, and between two
   * pieces of what it sends. Then the connection is given up, which is a failure that is retried. A slow consumer does not
   * count. Default: 30,000. Infinity: for ever.
   */
  readonly timeoutMs?: number | undefined
  /**
   * How often and after what a request is tried again, and what is told of it (`onRetry`). A body that breaks is asked for
   * from where it broke; whatever gets 64 KiB further begins to count anew. Default: 6 attempts, the first delay up to
   * 200 ms, doubled each time. `{ attempts: 1 }` turns it off.
   */
  readonly retry?: RetryOptions | RetryPolicy | undefined
}

/** What `timeoutMs` is where nobody says it. */
export const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_RETRY: RetryOptions = { attempts: 6, initialDelayMs: 200 }

export const REMOTE_OPTIONS = {
  timeoutMs: {
    type: 'number above 0, or Infinity',
    default: '30000',
    means: 'How long the other side may be silent while it is waited for, milliseconds.',
    accepts: value => typeof value === 'number' && value > 0,
  },
  retry: {
    type: 'RetryOptions or RetryPolicy',
    default: '{ attempts: 6, initialDelayMs: 200 }',
    means: 'How often a request is tried again, after what, and what is told of it.',
    accepts: is.any(
      value => value instanceof RetryPolicy,
      value => typeof value === 'object' && value !== null,
    ),
  },
} satisfies Record<keyof RemoteOptions, OptionEntry> & OptionTable

/** The policy that `retry` means. Throws OPTION_INVALID for delays and counts that cannot be. */
export function retryPolicyOf(retry: RemoteOptions['retry']): RetryPolicy {
  return retry instanceof RetryPolicy ? retry : new RetryPolicy({ ...DEFAULT_RETRY, ...retry })
}

/** How much of a file or object is fetched side by side. */
export interface PartOptions {
  /** Bytes of each of the ranges that a large file or object is fetched in side by side. Default: 8 MiB. */
  readonly partBytes?: number | undefined
  /**
   * How many ranges are fetched side by side; `partBytes` times this is held in memory at most. 1: one request for all.
   * Default: one until the network is what is waited for, then 4.
   */
  readonly concurrency?: number | undefined
}

export const PART_OPTIONS = {
  partBytes: {
    type: 'integer from 65536',
    default: '8388608',
    means: 'Bytes of each of the ranges that are fetched side by side.',
    accepts: is.integer(65_536),
  },
  concurrency: {
    type: 'integer from 1',
    default: '1, and 4 where the network is what is waited for',
    means: 'How many ranges of a file or object are fetched side by side.',
    accepts: is.integer(1, 64),
  },
} satisfies Record<keyof PartOptions, OptionEntry>

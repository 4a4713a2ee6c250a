/** The options of reading from a URL. */
import { is, type OptionEntry } from '../../core/options.ts'
import { REMOTE_OPTIONS, type RemoteOptions } from '../../remote/options.ts'

/** A user and a password (Basic), or a token (Bearer). */
export type HttpAuth = { readonly username: string; readonly password: string } | { readonly token: string }

export interface HttpReadOptions extends RemoteOptions {
  /** Headers to send. They go to the origin of the target only, not to where it redirects. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Who asks; also taken from a URL such as `https://user:password@host/`. As `headers`, for one origin only. */
  readonly auth?: HttpAuth | undefined
  /** What sends the requests, to go through a proxy or an agent of your own. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
  /** How many redirects are followed. Default: 10. */
  readonly maxRedirects?: number | undefined
  /**
   * Whether to take a body without a length for whole when its connection is closed. Nobody can tell then whether it was
   * cut. Default: false, which is SOURCE_END_UNKNOWN once all that came was given.
   */
  readonly allowUnknownEnd?: boolean | undefined
  /** Bytes of each of the ranges that a large file is fetched in side by side. Default: 8 MiB. */
  readonly partBytes?: number | undefined
  /**
   * How many ranges of a file are fetched side by side; `partBytes` times this is held in memory at most. Default: one
   * until the network is what is waited for, then 4.
   */
  readonly concurrency?: number | undefined
}

const isText = (value: unknown): value is string => typeof value === 'string'

export const HTTP_READ_OPTIONS = {
  ...REMOTE_OPTIONS,
  headers: {
    type: 'object of strings',
    default: 'none',
    means: 'Headers to send to the origin of the target.',
    accepts: value =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isText),
  },
  auth: {
    type: '{ username, password } or { token }',
    default: 'none',
    means: 'Who asks; sent to the origin of the target.',
    accepts: value => {
      const { username, password, token } = (value ?? {}) as Record<string, unknown>
      return isText(token) ? username === undefined && password === undefined : isText(username) && isText(password)
    },
  },
  fetch: { type: 'function', default: 'the global fetch', means: 'What sends the requests.', accepts: is.function },
  maxRedirects: {
    type: 'integer from 0',
    default: '10',
    means: 'How many redirects are followed.',
    accepts: is.integer(0, 100),
  },
  allowUnknownEnd: {
    type: 'boolean',
    default: 'false',
    means: 'Takes a body without a length for whole when its connection is closed.',
    accepts: is.boolean,
  },
  partBytes: {
    type: 'integer from 65536',
    default: '8388608',
    means: 'Bytes of each of the ranges that are fetched side by side.',
    accepts: is.integer(65_536),
  },
  concurrency: {
    type: 'integer from 1',
    default: '1, and 4 where the network is what is waited for',
    means: 'How many ranges of a file are fetched side by side.',
    accepts: is.integer(1, 64),
  },
} satisfies Record<keyof HttpReadOptions, OptionEntry>

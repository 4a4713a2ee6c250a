/** The options of reading from a URL. */
import { is, type OptionEntry } from '../../core/options.ts'
import { PART_OPTIONS, type PartOptions, REMOTE_OPTIONS, type RemoteOptions } from '../../remote/options.ts'

/** A user and a password (Basic), or a token (Bearer). */
export type HttpAuth = { readonly username: string; readonly password: string } | { readonly token: string }

/** Options of reading a file from a server by `https:` or `http:` (RFC 9110). */
export interface HttpReadOptions extends RemoteOptions, PartOptions {
  /** Headers to send. They go to the origin of the target only, not to where it redirects. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Who asks; also taken from a URL such as `https://user:password@host/`. As `headers`, for one origin only. Default:
   * none.
   */
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
}

const isText = (value: unknown): value is string => typeof value === 'string'

export const HTTP_READ_OPTIONS = {
  ...REMOTE_OPTIONS,
  ...PART_OPTIONS,
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
} satisfies Record<keyof HttpReadOptions, OptionEntry>

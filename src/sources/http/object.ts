/** A file behind a URL, asked for by fetch. */
import { createError, type ErrorCode, excerpt, OpenIterableError } from '../../core/errors.ts'
import { httpFileName, httpLabel } from '../../core/target-urls.ts'
import { dispositionFileName, mediaTypeOf } from '../../remote/content-headers.ts'
import { type ContentRange, parseContentRange, rangeHeader } from '../../remote/content-range.ts'
import type { RangeRequest, RemoteBody, RemoteObject } from '../../remote/object.ts'
import { parseRetryAfter } from '../../resilience/transient.ts'
import type { HttpReadOptions } from './options.ts'

const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** What may be told to another origin than the target's. */
const HARMLESS = new Set(['accept', 'accept-language', 'user-agent'])

export class HttpObject implements RemoteObject {
  readonly label: string
  readonly #url: URL
  readonly #headers: Headers
  readonly #fetch: typeof fetch
  readonly #maxRedirects: number

  constructor(url: URL, options: Pick<HttpReadOptions, 'headers' | 'auth' | 'fetch' | 'maxRedirects'>) {
    this.label = httpLabel(url.href)
    this.#url = new URL(url)
    this.#headers = headersOf(url, options, this.label)
    // fetch refuses URLs with credentials, and says them in its message.
    this.#url.username = this.#url.password = this.#url.hash = ''
    this.#fetch = options.fetch ?? fetch
    this.#maxRedirects = options.maxRedirects ?? 10
  }

  async openRange(request: RangeRequest): Promise<RemoteBody> {
    const { start, end, etag } = request
    const range = rangeHeader(start, end)
    const { response, url } = await this.#request(request, {
      // What is encoded on the way has another length than what arrives, and cannot be resumed.
      'accept-encoding': 'identity',
      ...(range === undefined ? {} : { range }),
      ...(etag === undefined ? {} : { 'if-match': etag }),
    })
    if (response.status === 416 && start === 0 && end !== undefined) {
      discard(response)
      return this.openRange({ ...request, end: undefined }) // no range of a file without bytes can be had
    }
    const place = response.status === 206 ? parseContentRange(response.headers.get('content-range')) : undefined
    const partial = response.status === 206
    if (!response.ok || response.status === 204 || response.status === 205 || partial !== (place !== undefined)) {
      discard(response)
      throw this.#refusal(response, etag)
    }
    return this.#bodyOf(response, url, place, range !== undefined)
  }

  /** Sends the request, and again to where it is redirected; what is secret stays with the origin it was given for. */
  async #request(
    { signal }: RangeRequest,
    own: Readonly<Record<string, string>>,
  ): Promise<{ readonly response: Response; readonly url: URL }> {
    let url = this.#url
    let given = this.#headers
    for (let hops = 0; ; hops++) {
      const headers = new Headers(given)
      for (const [name, value] of Object.entries(own)) headers.set(name, value)
      let response: Response
      try {
        response = await this.#fetch(url.href, { headers, redirect: 'manual', signal })
      } catch (error) {
        signal.throwIfAborted()
        throw this.#failure(error)
      }
      if (!REDIRECTS.has(response.status)) return { response, url }
      discard(response)
      const location = response.headers.get('location')
      if (location === null || !URL.canParse(location, url.href)) throw this.#refusal(response)
      if (hops >= this.#maxRedirects) {
        throw createError('SOURCE_FAILED', `the server redirects more than ${this.#maxRedirects} times`, {
          label: this.label,
        })
      }
      const next = new URL(location, url)
      if (next.protocol !== 'http:' && next.protocol !== 'https:') {
        throw createError('SOURCE_FAILED', `the server redirects to ${next.protocol}`, {
          label: this.label,
          expected: 'http: or https:',
          found: next.protocol,
        })
      }
      next.username = next.password = next.hash = ''
      // Once elsewhere, coming back does not bring the secrets back.
      if (next.origin !== url.origin) given = new Headers([...given].filter(([name]) => HARMLESS.has(name)))
      url = next
    }
  }

  #bodyOf(response: Response, url: URL, place: ContentRange | undefined, ranged: boolean): RemoteBody {
    const { headers } = response
    const encodings = (headers.get('content-encoding') ?? '')
      .toLowerCase()
      .split(',')
      .map(text => text.trim())
      .filter(text => text !== '' && text !== 'identity')
    const encoded = encodings.length > 0
    const lengthText = headers.get('content-length')
    const length = lengthText === null || encoded ? undefined : Number(lengthText)
    const etag = headers.get('etag') ?? undefined
    const reader = (response.body ?? new Blob([]).stream()).getReader()
    const fileName = this.#fileNameOf(headers, url, encodings)
    const mediaType = mediaTypeOf(headers.get('content-type'))
    return {
      start: place?.start ?? 0,
      end: place?.end ?? length,
      total: place === undefined ? length : place.total,
      // What fetch has decoded is not what the tag and the ranges are of.
      etag: encoded || etag?.startsWith('"') !== true ? undefined : etag,
      ranges: !encoded && (ranged ? place !== undefined : /\bbytes\b/i.test(headers.get('accept-ranges') ?? '')),
      endKnown: lengthText !== null || headers.has('transfer-encoding') || response.body === null,
      ...(fileName === undefined ? {} : { fileName }),
      ...(mediaType === undefined ? {} : { mediaType }),
      next: () => reader.read(),
      destroy() {
        reader.cancel().catch(() => {})
      },
    }
  }

  /** A name that tells more than the URL's; undefined where there is none. */
  #fileNameOf(headers: Headers, url: URL, encodings: readonly string[]): string | undefined {
    const own = httpFileName(this.#url.href)
    const disposed = dispositionFileName(headers.get('content-disposition'))
    const reached = url === this.#url ? undefined : httpFileName(url.href)
    const named = [disposed, own.includes('.') ? undefined : reached].find(name => name?.includes('.'))
    // fetch has undone an encoding that the name still tells of.
    const name = named ?? own
    const extension = encodings.length === 1 ? /\.(gz|gzip|br|zst)$/i.exec(name)?.[1] : undefined
    const undone = extension !== undefined && ENCODED_AS[extension.toLowerCase()]?.includes(encodings[0]!)
    return undone ? name.slice(0, -extension.length - 1) : named
  }

  #refusal(response: Response, etag?: string): OpenIterableError {
    const { status, statusText, headers } = response
    const answer = `${status}${statusText === '' ? '' : ` ${excerpt(statusText).slice(1, -1)}`}`
    const retryAfter = headers.get('retry-after')
    const retryAfterMs = retryAfter === null ? undefined : parseRetryAfter(retryAfter)
    const cause = Object.assign(new Error(answer), { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
    const details = { label: this.label, expected: 'a status from 200 to 299', found: answer, cause }
    if (status === 412 && etag !== undefined) {
      return createError('SOURCE_CHANGED', 'the file was replaced while it was read', { ...details, expected: etag })
    }
    if (status === 206) {
      return createError('SOURCE_CORRUPT', 'the server does not say which range it gives', {
        ...details,
        expected: 'Content-Range',
        found: excerpt(headers.get('content-range') ?? 'none'),
      })
    }
    const code: ErrorCode =
      status === 404 || status === 410
        ? 'SOURCE_NOT_FOUND'
        : status === 401 || status === 403
          ? 'SOURCE_DENIED'
          : 'SOURCE_FAILED'
    const hint = status === 401 ? 'say who asks: { auth: { username, password } } or { auth: { token } }' : undefined
    return createError(code, `the server answered ${answer}`, { ...details, ...(hint === undefined ? {} : { hint }) })
  }

  /** What fetch rejected with. */
  #failure(error: unknown): OpenIterableError {
    if (error instanceof OpenIterableError) return error
    const cause = (error as { cause?: unknown } | null)?.cause ?? error
    const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown }
    const said = typeof message === 'string' && message !== '' ? message : String(code ?? 'no reason is given')
    return createError('SOURCE_FAILED', `the server cannot be reached: ${said}`, {
      label: this.label,
      ...(typeof code === 'string' ? { found: code } : {}),
      ...(code === 'ENOTFOUND' ? { hint: 'check the name of the host' } : {}),
      cause,
    })
  }
}

/** Which values of `Content-Encoding` undo an extension. */
const ENCODED_AS: Readonly<Record<string, readonly string[]>> = {
  gz: ['gzip', 'x-gzip'],
  gzip: ['gzip', 'x-gzip'],
  br: ['br'],
  zst: ['zstd'],
}

function headersOf(url: URL, { headers, auth }: Pick<HttpReadOptions, 'headers' | 'auth'>, label: string): Headers {
  let all: Headers
  try {
    all = new Headers(headers)
  } catch {
    // The cause would show the value, which may be secret.
    throw createError('OPTION_INVALID', 'option headers has a name or a value that no header can have', { label })
  }
  const basic = (username: string, password: string) =>
    all.set('authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`)
  if (auth !== undefined && 'token' in auth) {
    try {
      all.set('authorization', `Bearer ${auth.token}`)
    } catch {
      throw createError('OPTION_INVALID', 'option auth has a token that no header can have', { label })
    }
  } else if (auth !== undefined) basic(auth.username, auth.password)
  else if (url.username !== '' || url.password !== '') basic(decoded(url.username), decoded(url.password))
  return all
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function discard(response: Response): void {
  response.body?.cancel().catch(() => {})
}

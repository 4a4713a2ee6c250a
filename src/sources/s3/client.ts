/** The AWS SDK, loaded when it is needed, and clients of it that are shared by what reaches the same place. */
import { createHash } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'
import { createError } from '../../core/errors.ts'
import type { S3ConnectionOptions } from './options.ts'

/** The package. */
export type S3Sdk = typeof import('@aws-sdk/client-s3')

/** A client in use. */
export interface S3Connection {
  readonly sdk: S3Sdk
  /**
   * Tries each request once: who sends it holds the retry policy, and two policies would multiply. It checks no checksum
   * of a body, as those of a body that is resumed are checked over all its pieces; the headers that tell it are there.
   */
  readonly client: S3Client
  /** Texts that must not appear in any message. */
  readonly secrets: readonly string[]
  /** To be called once when nothing is sent any more. */
  release(): void
}

/** How long a client that nobody uses keeps its idle connections. */
const LINGER_MS = 4000
/** Each stream that is open holds one; the SDK's own limit of 50 would make the 51st wait for ever. */
const MAX_SOCKETS = 1024

/** A client made of options, used by any number of sources and sinks. */
interface SharedClient {
  readonly client: S3Client
  users: number
  linger: NodeJS.Timeout | undefined
}

const shared = new Map<string, SharedClient>()
/** Functions are told apart by identity. */
const identities = new WeakMap<object, number>()
let nextIdentity = 1

/**
 * Gives a client for the options. Throws PEER_MISSING without the package, OPTION_INVALID for options that contradict
 * each other.
 */
export async function connectS3(options: S3ConnectionOptions, loadSdk = load): Promise<S3Connection> {
  if (options.anonymous === true && options.credentials !== undefined) {
    throw createError('OPTION_INVALID', 'option s3 has both credentials and anonymous: true', {
      hint: 'leave one of them out',
    })
  }
  const sdk = await loadSdk()
  const secrets = await secretsOf(options)
  if (options.client !== undefined) {
    return { sdk, client: sendingOnce(options.client), secrets, release: () => {} }
  }
  const key = keyOf(options)
  let entry = shared.get(key)
  if (entry === undefined) {
    entry = { client: sendingOnce(createClient(sdk, options)), users: 0, linger: undefined }
    shared.set(key, entry)
  }
  return { sdk, client: entry.client, secrets, release: use(key, entry) }
}

function use(key: string, entry: SharedClient): () => void {
  entry.users++
  clearTimeout(entry.linger)
  let released = false
  return () => {
    if (released) return
    released = true
    if (--entry.users > 0) return
    // A process that is done does not wait for this; Node ends idle connections with it.
    entry.linger = setTimeout(() => {
      shared.delete(key)
      entry.client.destroy()
    }, LINGER_MS).unref()
  }
}

async function load(): Promise<S3Sdk> {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (cause) {
    if ((cause as { code?: unknown } | null)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw createError('PEER_MISSING', 's3: is reached by the package @aws-sdk/client-s3, which is not installed', {
      hint: 'install it: npm install @aws-sdk/client-s3',
      cause,
    })
  }
}

function createClient(sdk: S3Sdk, options: S3ConnectionOptions): S3Client {
  const { endpoint, credentials, anonymous, forcePathStyle, requestChecksumCalculation } = options
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
  // A service that is not Amazon's mostly has no regions, and takes any.
  const region =
    options.region ?? (endpoint !== undefined && !AWS_REGION && !AWS_DEFAULT_REGION ? 'us-east-1' : undefined)
  return new sdk.S3Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
    ...(requestChecksumCalculation === undefined ? {} : { requestChecksumCalculation }),
    ...(anonymous === true ? UNSIGNED : {}),
    followRegionRedirects: true,
    // A limit of time on the socket would also end a stream whose consumer takes its time.
    requestHandler: { socketTimeout: 0, httpAgent: AGENT, httpsAgent: AGENT },
  })
}

const AGENT = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: 16 }

const UNSIGNED = {
  credentials: async () => ({ accessKeyId: '', secretAccessKey: '' }),
  signer: { sign: async <T>(request: T): Promise<T> => request },
}

function keyOf({ credentials, ...rest }: S3ConnectionOptions): string {
  let identity: number | string = 0
  if (typeof credentials === 'function') {
    identity = identities.get(credentials) ?? nextIdentity++
    identities.set(credentials, identity)
  } else if (credentials !== undefined) {
    // Not as they are: a key that somebody looks at must hold no secret.
    const { accessKeyId, secretAccessKey, sessionToken } = credentials
    identity = createHash('sha256')
      .update(JSON.stringify([accessKeyId, secretAccessKey, sessionToken]))
      .digest('base64')
  }
  const { region, endpoint, anonymous, forcePathStyle, requestChecksumCalculation } = rest
  return JSON.stringify([region, endpoint, anonymous, forcePathStyle, requestChecksumCalculation, identity])
}

/** The client with another stack of middleware; the rest of it, sockets and credentials, is the original's. */
function sendingOnce(client: S3Client): S3Client {
  if (client.middlewareStack?.clone === undefined) return client // a double of the user's own
  const stack = client.middlewareStack.clone()
  // In its place, as others in the stack stand beside it.
  stack.add(next => next, { step: 'finalizeRequest', priority: 'high', name: 'retryMiddleware', override: true })
  stack.add(
    next => async args => {
      const input = args.input as { ChecksumMode?: unknown }
      const { headers } = args.request as { headers: Record<string, string> }
      if (input.ChecksumMode === 'ENABLED') {
        headers['x-amz-checksum-mode'] = 'ENABLED'
        // The SDK looks at the input again when the answer is there.
        delete input.ChecksumMode
      }
      return next(args)
    },
    { step: 'build', name: 'openIterableChecksumHeader' },
  )
  return Object.create(client, { middlewareStack: { value: stack } }) as S3Client
}

async function secretsOf({ credentials }: S3ConnectionOptions): Promise<readonly string[]> {
  if (credentials === undefined || typeof credentials === 'function') return []
  return [credentials.secretAccessKey, credentials.sessionToken].filter(
    (text): text is string => typeof text === 'string' && text.length >= 4,
  )
}

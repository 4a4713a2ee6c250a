/** The options of S3: how it is reached, and how objects are read. */
import type { S3Client } from '@aws-sdk/client-s3'
import { is, type OptionEntry, type OptionTable } from '../../core/options.ts'
import { REMOTE_OPTIONS, type RemoteOptions } from '../../remote/options.ts'

/** Keys of an account. Anything that the SDK takes will do: also a function that fetches them. */
export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** How S3 is reached. What is not said is the SDK's default: environment, shared configuration files, instance roles. */
export interface S3ConnectionOptions {
  /** A client of your own, which is used as it is and stays yours; the options below then say nothing. */
  readonly client?: S3Client | undefined
  /** Default: the SDK's; `us-east-1` where only `endpoint` is given. */
  readonly region?: string | undefined
  /** The URL of a service that speaks S3. Default: Amazon's of the region. */
  readonly endpoint?: string | undefined
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>) | undefined
  /** Whether requests go unsigned, to a bucket that is open to everyone. Default: false. */
  readonly anonymous?: boolean | undefined
  /** Whether the bucket stands in the path of a URL, as most services but Amazon's want it. Default: false. */
  readonly forcePathStyle?: boolean | undefined
  /** When uploads carry a checksum. Services that do not know the newer ones need `'WHEN_REQUIRED'`. */
  readonly requestChecksumCalculation?: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED' | undefined
}

/** How an object is read; beside how S3 is reached. */
export interface S3ReadSettings extends S3ConnectionOptions {
  /** Bytes of each of the ranges that a large object is fetched in side by side. Default: 8 MiB. */
  readonly partBytes?: number | undefined
  /**
   * How many ranges of an object are fetched side by side; `partBytes` times this is held in memory at most. 1: one
   * request for all. Default: one until the network is what is waited for, then 4.
   */
  readonly concurrency?: number | undefined
}

/** Options for reading from S3. */
export interface S3ReadOptions extends RemoteOptions {
  readonly s3?: S3ReadSettings | undefined
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
const isUrl = (value: unknown): boolean => typeof value === 'string' && URL.canParse(value)

export const S3_CONNECTION_OPTIONS = {
  client: {
    type: 'S3Client',
    default: 'made from the other options',
    means: 'A client of your own.',
    accepts: value => typeof (value as { send?: unknown } | null)?.send === 'function',
  },
  region: { type: 'string', default: "the SDK's", means: 'The region of the bucket.', accepts: is.string },
  endpoint: { type: 'URL', default: "Amazon's", means: 'A service that speaks S3.', accepts: isUrl },
  credentials: {
    type: '{ accessKeyId, secretAccessKey, sessionToken? } or function',
    default: "the SDK's chain",
    means: 'Keys of the account.',
    accepts: is.any(is.function, isObject),
  },
  anonymous: {
    type: 'boolean',
    default: 'false',
    means: 'Sends requests unsigned, to a bucket that is open to everyone.',
    accepts: is.boolean,
  },
  forcePathStyle: {
    type: 'boolean',
    default: 'false',
    means: 'Puts the bucket into the path of URLs.',
    accepts: is.boolean,
  },
  requestChecksumCalculation: {
    type: "'WHEN_SUPPORTED' | 'WHEN_REQUIRED'",
    default: "the SDK's",
    means: 'When uploads carry a checksum.',
    accepts: is.oneOf('WHEN_SUPPORTED', 'WHEN_REQUIRED'),
  },
} satisfies Record<keyof S3ConnectionOptions, OptionEntry>

/** What stands in `s3` when reading. */
export const S3_READ_SETTINGS = {
  ...S3_CONNECTION_OPTIONS,
  partBytes: {
    type: 'integer from 65536',
    default: '8388608',
    means: 'Bytes of each of the ranges that are fetched side by side.',
    accepts: is.integer(65_536),
  },
  concurrency: {
    type: 'integer from 1',
    default: '1, and 4 where the network is what is waited for',
    means: 'How many ranges of an object are fetched side by side.',
    accepts: is.integer(1, 64),
  },
} satisfies Record<keyof S3ReadSettings, OptionEntry>

export const S3_READ_OPTIONS: OptionTable = {
  ...REMOTE_OPTIONS,
  s3: {
    type: 'object',
    default: "the SDK's defaults",
    means:
      'How S3 is reached: `client`, or `region`, `endpoint`, `credentials`, `anonymous`, `forcePathStyle`; and how objects are read: `partBytes`, `concurrency`.',
    accepts: isObject,
  },
} satisfies Record<keyof S3ReadOptions, OptionEntry>

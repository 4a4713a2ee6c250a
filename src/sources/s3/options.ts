/** The options of S3: how it is reached, and how objects are read. */
import type { S3Client } from '@aws-sdk/client-s3'
import { is, type OptionEntry, type OptionTable } from '../../core/options.ts'
import { PART_OPTIONS, type PartOptions, REMOTE_OPTIONS, type RemoteOptions } from '../../remote/options.ts'

/** Keys of an account. Anything that the SDK takes will do: also a function that fetches them. */
export interface S3Credentials {
  /** The id of the key. */
  readonly accessKeyId: string
  /** The secret key. It signs requests, and reaches no message and no log. */
  readonly secretAccessKey: string
  /** The token of temporary credentials. Default: none. */
  readonly sessionToken?: string
}

/** How S3 is reached. What is not said is the SDK's default: environment, shared configuration files, instance roles. */
export interface S3ConnectionOptions {
  /**
   * A client of your own, which is used as it is and stays yours; the options below then say nothing. Default: one is
   * made.
   */
  readonly client?: S3Client | undefined
  /** Default: the SDK's; `us-east-1` where only `endpoint` is given. */
  readonly region?: string | undefined
  /** The URL of a service that speaks S3. Default: Amazon's of the region. */
  readonly endpoint?: string | undefined
  /** Keys, or a function that fetches them. Default: what the SDK finds; CREDENTIALS_MISSING where it finds none. */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>) | undefined
  /** Whether requests go unsigned, to a bucket that is open to everyone. Default: false. */
  readonly anonymous?: boolean | undefined
  /** Whether the bucket stands in the path of a URL, as most services but Amazon's want it. Default: false. */
  readonly forcePathStyle?: boolean | undefined
  /**
   * When uploads carry a checksum. Services that do not know the newer ones need `'WHEN_REQUIRED'`. Default: the SDK's.
   */
  readonly requestChecksumCalculation?: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED' | undefined
}

/** How an object is read; beside how S3 is reached. */
export interface S3ReadSettings extends S3ConnectionOptions, PartOptions {}

/** Options for reading from S3. */
export interface S3ReadOptions extends RemoteOptions {
  /** How S3 is reached, and what of an object is read. Default: as the SDK is configured. */
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
  ...PART_OPTIONS,
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

/** The options of writing to S3. */
import { is, type OptionEntry, type OptionTable } from '../../core/options.ts'
import { REMOTE_OPTIONS, type RemoteOptions } from '../../remote/options.ts'
import { S3_CONNECTION_OPTIONS, type S3ConnectionOptions } from './options.ts'
import { MIN_PART_BYTES } from './sink-parts.ts'

/** How an object is written; beside how S3 is reached. */
export interface S3WriteSettings extends S3ConnectionOptions {
  /**
   * Bytes of a part of a multipart upload, at least 5 MiB. An object that is not larger goes as one PUT. From 5.5 GiB on
   * parts grow with the object, so that the 10,000 that S3 allows suffice for 5 TiB. Default: 8 MiB.
   */
  readonly partBytes?: number | undefined
  /**
   * How many parts are on their way at once; `partBytes` times one more than this is held in memory, and of parts that
   * have grown as many as fit into that, or one. Default: 4.
   */
  readonly concurrency?: number | undefined
  /**
   * `'*'`: refuses to overwrite, with SINK_EXISTS where there is an object when the new one is published. Default: it
   * is overwritten.
   */
  readonly ifNoneMatch?: '*' | undefined
  /** Overwrites only the object that has this ETag; SINK_CHANGED for any other. Default: any. */
  readonly ifMatch?: string | undefined
  /** The media type. Default: that of the outermost codec, else of the format, else by the key's extensions. */
  readonly contentType?: string | undefined
  /** What is stored beside the object, by name. Default: none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /**
   * Further parameters of PutObject and CreateMultipartUpload as the SDK names them: `{ StorageClass: 'STANDARD_IA',
   * ServerSideEncryption: 'aws:kms', ACL: … }`. What this library sets itself it keeps. Default: none.
   */
  readonly params?: Readonly<Record<string, unknown>> | undefined
}

/** Options for writing to S3. */
export interface S3WriteOptions extends RemoteOptions {
  /** How S3 is reached, and how an object is written. Default: as the SDK is configured. */
  readonly s3?: S3WriteSettings | undefined
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts = (value: unknown): boolean => isObject(value) && Object.values(value as object).every(is.string)

/** What stands in `s3` when writing. */
export const S3_WRITE_SETTINGS = {
  ...S3_CONNECTION_OPTIONS,
  partBytes: {
    type: 'integer from 5242880',
    default: '8388608',
    means: 'Bytes of a part of an upload; what is not larger goes as one PUT.',
    accepts: is.integer(MIN_PART_BYTES, 2 ** 32),
  },
  concurrency: {
    type: 'integer from 1',
    default: '4',
    means: 'How many parts are on their way at once.',
    accepts: is.integer(1, 64),
  },
  ifNoneMatch: { type: "'*'", default: 'none', means: 'Refuses to overwrite an object.', accepts: is.oneOf('*') },
  ifMatch: {
    type: 'ETag',
    default: 'none',
    means: 'Overwrites only the object that has this ETag.',
    accepts: is.string,
  },
  contentType: { type: 'string', default: 'by codec and format', means: 'The media type.', accepts: is.string },
  metadata: {
    type: '{ name: text }',
    default: 'none',
    means: 'What is stored beside the object.',
    accepts: isTexts,
  },
  params: {
    type: 'object',
    default: 'none',
    means: 'Further parameters of PutObject and CreateMultipartUpload, as the SDK names them.',
    accepts: isObject,
  },
} satisfies Record<keyof S3WriteSettings, OptionEntry>

export const S3_WRITE_OPTIONS: OptionTable = {
  ...REMOTE_OPTIONS,
  s3: {
    type: 'object',
    default: "the SDK's defaults",
    means:
      'How S3 is reached, as for reading; and how objects are written: `partBytes`, `concurrency`, `ifNoneMatch`, `ifMatch`, `contentType`, `metadata`, `params`.',
    accepts: isObject,
  },
} satisfies Record<keyof S3WriteOptions, OptionEntry>

/** Objects of S3, and of whatever speaks as S3 does, by `s3://bucket/key` or `{ bucket, key }`. */
import { createError } from '../../core/errors.ts'
import { checkOptions } from '../../core/options.ts'
import { type S3Location, s3Label, s3LocationOf } from '../../core/target-urls.ts'
import type { Place } from '../../core/types.ts'
import { S3_READ_OPTIONS, S3_READ_SETTINGS, type S3ReadOptions } from './options.ts'
import { S3_WRITE_OPTIONS, S3_WRITE_SETTINGS, type S3WriteOptions } from './sink-options.ts'
import { openS3Source } from './source.ts'

export const place: Place = {
  readOptions: S3_READ_OPTIONS,
  async openSource(target, { signal, options, access, onRetry }) {
    const { s3 = {}, timeoutMs, retry } = options as S3ReadOptions
    checkOptions({ ...s3 }, [S3_READ_SETTINGS], 'option s3')
    return openS3Source(locationOf(target), { s3, timeoutMs, retry, access, onRetry, signal })
  },
  async *list(target, { signal, options, glob }) {
    const { s3 = {}, timeoutMs, retry } = options as S3ReadOptions
    checkOptions({ ...s3 }, [S3_READ_SETTINGS], 'option s3')
    const { listS3Objects } = await import('./list.ts')
    yield* listS3Objects(locationOf(target, false), { s3, timeoutMs, retry, signal, glob })
  },
  writeOptions: S3_WRITE_OPTIONS,
  async openSink(target, { signal, options, append, format, codecs, onRetry }) {
    const { s3 = {}, timeoutMs, retry } = options as S3WriteOptions
    checkOptions({ ...s3 }, [S3_WRITE_SETTINGS], 'option s3')
    const location = locationOf(target)
    if (append) {
      throw createError('TARGET_UNSUPPORTED', 'nothing can be appended to an object of S3', {
        label: s3Label(location),
        hint: 'write another object beside it; a pattern such as s3://bucket/prefix/*.csv reads them as one',
      })
    }
    const { openS3Sink } = await import('./sink.ts')
    return openS3Sink(location, { s3, timeoutMs, retry, format, codecs, onRetry, signal })
  },
}

/** Where a target is. Throws OPTION_INVALID where it has no bucket or, if one is needed, no key. */
export function locationOf(target: unknown, needsKey = true): S3Location {
  const location = s3LocationOf(target)!
  const { bucket, key } = location
  const named = typeof target === 'string' && bucket.includes(':') && key.includes('@') // a secret with a slash in it
  if (bucket.includes('@') || named || (target instanceof URL && target.username !== '')) {
    throw createError('OPTION_INVALID', 'an s3: URL holds no credentials', {
      label: s3Label(location),
      hint: 'give them as { s3: { credentials: { accessKeyId, secretAccessKey } } }',
    })
  }
  if (location.bucket !== '' && (location.key !== '' || !needsKey)) return location
  const lacking = location.bucket === '' ? 'bucket' : 'key'
  throw createError('OPTION_INVALID', `the target names no ${lacking}`, {
    label: s3Label(location),
    expected: 's3://bucket/key',
    found: s3Label(location),
  })
}

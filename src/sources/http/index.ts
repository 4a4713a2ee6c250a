/** Files behind `http:` and `https:` URLs. */
import { createError } from '../../core/errors.ts'
import { httpLabel, httpUrlOf } from '../../core/target-urls.ts'
import type { Place } from '../../core/types.ts'
import { openRemoteSource, type RemoteByteSource, type RemoteSourceOptions } from '../../remote/source.ts'
import { HttpObject } from './object.ts'
import { HTTP_READ_OPTIONS, type HttpReadOptions } from './options.ts'

export const place: Place = {
  readOptions: HTTP_READ_OPTIONS,
  openSource: async (target, { signal, options, access, onRetry }) =>
    openHttpSource(httpUrlOf(target)!, { ...(options as HttpReadOptions), access, onRetry, signal }),
}

/** Opens a URL. Rejects with what the server refused it for; OPTION_INVALID for what is no URL. */
export async function openHttpSource(
  url: string,
  options: HttpReadOptions & Pick<RemoteSourceOptions, 'access' | 'signal' | 'clock' | 'onRetry'> = {},
): Promise<RemoteByteSource> {
  if (!URL.canParse(url)) {
    throw createError('OPTION_INVALID', 'the target is no URL', {
      label: httpLabel(url),
      expected: 'https://host/path',
      found: httpLabel(url),
    })
  }
  const { headers, auth, fetch, maxRedirects, ...remote } = options
  return openRemoteSource(new HttpObject(new URL(url), { headers, auth, fetch, maxRedirects }), remote)
}

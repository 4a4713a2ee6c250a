/** iconv-lite, an optional package: the tables that Node lacks (all of writing), or has wrong (Big5, EUC-KR). */
import { createError } from './errors.ts'

/** The part of iconv-lite that is used. */
export interface IconvLite {
  /** Writes `?` for what the encoding lacks. */
  encode(text: string, encoding: string): Buffer
  /** Gives U+FFFD for what is no character. */
  decode(bytes: Buffer, encoding: string): string
}

/** Loads it; PEER_MISSING with the line that installs it where it is not there. */
export async function loadIconvLite(
  encoding: string,
  doing: 'read' | 'written',
  load: () => Promise<unknown> = () => import('iconv-lite'),
): Promise<IconvLite> {
  let loaded: unknown
  try {
    loaded = await load()
  } catch (cause) {
    if ((cause as { code?: unknown } | null)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw createError('PEER_MISSING', `${encoding} is ${doing} by the package iconv-lite, which is not installed`, {
      hint: 'install it: npm install iconv-lite',
      cause,
    })
  }
  // A CommonJS module: its exports are the default.
  return (loaded as { readonly default: IconvLite }).default
}

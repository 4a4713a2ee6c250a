/** JSON pointers (RFC 6901): `/data/items/0`, with `~1` for a slash in a key and `~0` for a tilde. */

/** Whether `text` is a pointer: empty, or each part behind a slash, with no other escapes than `~0` and `~1`. */
export function isPointer(text: unknown): text is string {
  return typeof text === 'string' && /^(?:\/(?:[^~/]|~[01])*)*$/.test(text)
}

/** The keys and indices that a pointer leads through; none for the whole document. */
export function pointerTokens(pointer: string): string[] {
  const parts = pointer.split('/').slice(1)
  return parts.map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The mirror of `pointerTokens`. */
export function pointerOf(tokens: readonly string[]): string {
  return tokens.map(token => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A value that a format has no form for. Internal: the format's encoder, which knows the place, makes the user's error of it. */
export class UnwritableValue extends Error {
  readonly hint: string | undefined

  constructor(reason: string, hint?: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause })
    this.hint = hint
  }
}

/** A noun in a message. */
export const withArticle = (noun: string): string => `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`

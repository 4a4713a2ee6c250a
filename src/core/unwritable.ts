/** A value that a format has no form for. Internal: the format's encoder, which knows the place, makes the user's error of it. */
export class UnwritableValue extends Error {
  readonly hint: string | undefined

  constructor(reason: string, hint?: string) {
    super(reason)
    this.hint = hint
  }
}

/** What a verb of the command line is, declared once: parsing, help, completion and docs are all made from it. */

/** An option of a verb. */
export interface Flag {
  /** Without the dashes: `on-error`. */
  readonly name: string
  /** One letter. */
  readonly short?: string
  /** `switch`: no value, and `--no-<name>` says no; `optional`: a value may follow after `=`; `list`: may be repeated. */
  readonly kind: 'switch' | 'text' | 'number' | 'list' | 'optional'
  /** What the value is called in the help: `file`. */
  readonly value?: string
  /** The values there are, where these are few. */
  readonly choices?: readonly string[]
  readonly means: string
}

/** A positional argument. */
export interface Argument {
  readonly name: string
  readonly means: string
  readonly optional?: boolean
  readonly many?: boolean
}

export interface Verb {
  readonly name: string
  /** In a line, for the list of verbs. */
  readonly means: string
  readonly arguments: readonly Argument[]
  readonly flags: readonly Flag[]
  /** Whole command lines, each with what it does. */
  readonly examples: readonly (readonly [command: string, does: string])[]
  /** The code of the verb; loaded when it is called. */
  load(): Promise<{ run(call: Call): Promise<void> }>
}

/** A verb as it is called. */
export interface Call {
  readonly positionals: readonly string[]
  readonly flags: Flags
  readonly terminal: Terminal
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** The values of flags; each getter knows only flags of its kind. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[] | boolean>

  constructor(values: ReadonlyMap<string, readonly string[] | boolean>) {
    this.#values = values
  }

  /** Whether a switch is on; undefined where it is not given. */
  switch(name: string): boolean | undefined {
    const value = this.#values.get(name)
    return value === undefined ? undefined : value !== false
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name)
    return Array.isArray(value) ? value.at(-1) : undefined
  }

  /** Values that were given apart, or separated by commas. */
  list(name: string): string[] | undefined {
    const value = this.#values.get(name)
    return Array.isArray(value) ? value.flatMap(text => text.split(',')).filter(text => text !== '') : undefined
  }

  /** Each value as it was given. */
  all(name: string): readonly string[] {
    const value = this.#values.get(name)
    return Array.isArray(value) ? value : []
  }

  number(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = Number(text.replaceAll('_', ''))
    if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`--${name} takes a number, not ${text}`)
    return value
  }

  /** A whole number from 0. */
  count(name: string): number | undefined {
    const value = this.number(name)
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
      throw new UsageError(`--${name} takes a whole number from 0, not ${this.text(name)}`)
    return value
  }
}

/** Where a verb writes: rows and results on one way, everything else on the other. */
export interface Terminal {
  /** Data, for the next program or a file. */
  out(text: string): Promise<void>
  /** What is for people. */
  note(text: string): void
  /** Whether the data goes to a terminal. */
  readonly isTerminal: boolean
  /** Whether notes go to one, so that progress can be shown. */
  readonly showsProgress: boolean
  readonly columns: number
  readonly colors: boolean
  /** `--json`: results for machines. */
  readonly json: boolean
  /** The stream that data is written to, for what writes by itself. */
  readonly stdout: NodeJS.WriteStream
}

/** A wrong command line: exit code 2. */
export class UsageError extends Error {
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** Data is wrong, or some of it failed, and that was told already: exit code 1. */
export class PartialFailure extends Error {}

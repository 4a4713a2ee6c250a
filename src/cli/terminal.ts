/** Standard output and error, as the verbs use them. */
import type { Flags, Terminal } from './declare.ts'
import { printable } from './printable.ts'

/** Set by whoever closes the pipe that data goes to: `… | head` is no error. */
export class PipeClosed extends Error {}

export function openTerminal(flags: Flags, onPipeClosed: (error: PipeClosed) => void): Terminal {
  const { stdout, stderr, env } = process
  let closed: PipeClosed | undefined
  stdout.on('error', error => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    closed ??= new PipeClosed()
    onPipeClosed(closed)
  })
  stderr.on('error', () => {}) // nobody is left to be told
  const quiet = flags.switch('quiet') === true
  const isTerminal = stdout.isTTY === true
  const byDefault = isTerminal && env.TERM !== 'dumb' && (env.NO_COLOR ?? '') === ''
  return {
    out: text =>
      new Promise((resolve, reject) => {
        if (closed !== undefined) reject(closed)
        else stdout.write(text, error => (error ? reject(closed ?? error) : resolve()))
      }),
    note: text => {
      // A name in it may hold anything; lines are the caller's.
      if (!quiet) stderr.write(`${text.split('\n').map(printable).join('\n')}\n`)
    },
    isTerminal,
    showsProgress: stderr.isTTY === true && !quiet,
    get columns() {
      // The window may change its size; and where data goes elsewhere, progress is as wide as the terminal it is shown in.
      return widthOf(env.COLUMNS) ?? (stdout.columns || stderr.columns || 80)
    },
    colors: flags.switch('color') ?? byDefault,
    json: flags.switch('json') === true,
    stdout,
  }
}

const widthOf = (text: string | undefined): number | undefined => {
  const width = Number(text)
  return Number.isInteger(width) && width > 0 ? width : undefined
}

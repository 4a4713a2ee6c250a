/** Runs the built command line as a user does. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export const BIN = process.env.OPEN_ITERABLE_MAIN ?? join(import.meta.dirname, '../../dist/cli/main.js')

export interface Run {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly input?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Called with what has come on standard output and standard error so far. */
  readonly onOutput?: (child: ReturnType<typeof spawn>, out: string, err: string) => void
}

/** In pipes. */
export function cli(words: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(process.execPath, [BIN, ...words], options)
}

/** In a terminal so many columns wide. What it shows is `out`; line ends are those of terminals. */
export function inTerminal(
  words: readonly string[],
  options: RunOptions & { readonly columns?: number } = {},
): Promise<Run> {
  const driver = join(import.meta.dirname, 'terminal.py')
  const command = ['-u', driver, String(options.columns ?? 80), process.execPath, BIN, ...words]
  return run('python3', command, { ...options, env: { TERM: 'xterm-256color', COLUMNS: '', ...options.env } }, true)
}

function run(
  command: string,
  words: readonly string[],
  { input, cwd, env, onOutput }: RunOptions,
  staysOpen = false,
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd, env: { ...process.env, NO_COLOR: '', ...env } })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      out += text
      onOutput?.(child, out, err)
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      err += text
      onOutput?.(child, out, err)
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code, out, err }))
    child.stdin.on('error', () => {}) // a verb that does not read it has gone
    if (staysOpen) child.stdin.write(input ?? '')
    else child.stdin.end(input ?? '')
  })
}

/** Runs the built command line as a user does. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export const BIN = join(import.meta.dirname, '../../dist/cli/main.js')

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

export function cli(words: readonly string[], { input, cwd, env, onOutput }: RunOptions = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...words], { cwd, env: { ...process.env, NO_COLOR: '', ...env } })
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
    child.stdin.end(input ?? '')
  })
}

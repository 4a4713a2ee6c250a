#!/usr/bin/env node
/** `open-iterable <verb> …`: arguments in, the library's functions below. */
import { readFileSync } from 'node:fs'
import { type Call, type Flags, PartialFailure, UsageError } from './declare.ts'
import { parseArguments } from './parse.ts'
import { printable } from './printable.ts'
import { openTerminal, PipeClosed } from './terminal.ts'
import { VERBS } from './verbs.ts'

const EXIT = { ok: 0, data: 1, usage: 2, interrupted: 130, terminated: 143 } as const

async function main(words: readonly string[]): Promise<number> {
  const [first, ...rest] = words
  if (first === '--version' || first === '-V') {
    process.stdout.write(`${version()}\n`)
    return EXIT.ok
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const { helpOf, helpOfAll } = await import('./help.ts')
    const verb = VERBS.find(one => one.name === rest[0])
    if (verb === undefined && rest[0] !== undefined) throw new UsageError(`there is no verb ${rest[0]}`)
    process.stdout.write(verb === undefined ? helpOfAll(VERBS) : helpOf(verb))
    return first === undefined ? EXIT.usage : EXIT.ok
  }
  if (first === 'completion') {
    const { completion, SHELLS } = await import('./help.ts')
    const shell = SHELLS.find(one => one === rest[0])
    if (shell === undefined) throw new UsageError(`completion needs a shell: ${SHELLS.join(', ')}`)
    process.stdout.write(completion(shell, VERBS))
    return EXIT.ok
  }
  const verb = VERBS.find(one => one.name === first)
  if (verb === undefined) {
    const { nearest } = await import('../core/errors.ts')
    const near = nearest(
      first,
      VERBS.map(one => one.name),
    )
    throw new UsageError(
      `there is no verb ${first}`,
      near === undefined ? 'see open-iterable --help' : `did you mean ${near}?`,
    )
  }
  const { positionals, flags } = await parseArguments(verb, rest)
  if (flags.switch('help') === true) {
    const { helpOf } = await import('./help.ts')
    process.stdout.write(helpOf(verb))
    return EXIT.ok
  }
  const controller = new AbortController()
  let interrupted: number | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    // The second time it is meant at once.
    if (interrupted !== undefined) process.exit(interrupted)
    interrupted = signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted
    controller.abort(new DOMException('interrupted', 'AbortError'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const terminal = openTerminal(flags, closed => controller.abort(closed))
  const call: Call = { positionals, flags, terminal, signal: controller.signal }
  try {
    await (await verb.load()).run(call)
    return interrupted ?? EXIT.ok
  } catch (error) {
    if (error instanceof PipeClosed || controller.signal.reason instanceof PipeClosed) return EXIT.ok
    if (interrupted !== undefined) return interrupted
    if (error instanceof PartialFailure) return EXIT.data
    if (error instanceof UsageError) throw error
    await tell(error, flags)
    return (error as { name?: unknown }).name === 'OptionError' ? EXIT.usage : EXIT.data
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

function version(): string {
  const path = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

async function tell(error: unknown, flags: Flags): Promise<void> {
  if (flags.switch('json') === true) {
    const { jsonText } = await import('./show.ts')
    process.stderr.write(`${jsonText({ error: error instanceof Error ? described(error) : String(error) })}\n`)
    return
  }
  if (flags.switch('verbose') === true) {
    console.error(error)
    return
  }
  process.stderr.write(`${printable(error instanceof Error ? error.message : String(error))}\n`)
}

/** What an error says, without what caused it. */
function described(error: Error): object {
  const { cause: _, ...fields } = error as Error & Record<string, unknown>
  return { ...fields, message: error.message }
}

const given = process.argv.slice(2)
try {
  process.exitCode = await main(given)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  const text = `open-iterable: ${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}`
  // The flags may be what is wrong, so that nobody has parsed them.
  const asJson = given.slice(0, given.includes('--') ? given.indexOf('--') : undefined).includes('--json')
  const { message, hint } = error
  process.stderr.write(`${asJson ? JSON.stringify({ error: { code: 'USAGE', message, hint } }) : printable(text)}\n`)
  process.exitCode = EXIT.usage
}

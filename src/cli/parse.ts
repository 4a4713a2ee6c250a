/** The command line → a verb, its arguments and its flags. */
import { type Flag, Flags, UsageError, type Verb } from './declare.ts'

/** Flags that every verb has. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: 'help', short: 'h', kind: 'switch', means: 'Shows this help.' },
  { name: 'json', kind: 'switch', means: 'Writes results, and errors, as JSON, for programs.' },
  { name: 'quiet', short: 'q', kind: 'switch', means: 'No progress and no notes; errors are told.' },
  { name: 'verbose', kind: 'switch', means: 'Errors with their stack and cause.' },
  { name: 'color', kind: 'switch', means: 'Colours; by default where a terminal shows them and NO_COLOR is not set.' },
]

export interface Parsed {
  readonly positionals: readonly string[]
  readonly flags: Flags
}

/** Takes what follows the verb. Throws UsageError for what the verb does not take. */
export async function parseArguments(verb: Verb, words: readonly string[]): Promise<Parsed> {
  const known = [...verb.flags, ...COMMON_FLAGS]
  const values = new Map<string, string[] | boolean>()
  const positionals: string[] = []
  const rest = [...words]
  const find = async (name: string, written: string): Promise<Flag> => {
    const flag = known.find(one => one.name === name)
    if (flag !== undefined) return flag
    const { nearest } = await import('../core/errors.ts')
    const near = nearest(
      name,
      known.map(one => one.name),
    )
    throw new UsageError(
      `${verb.name} has no option ${written}`,
      near === undefined ? `see open-iterable ${verb.name} --help` : `did you mean --${near}?`,
    )
  }
  const give = async (flag: Flag, written: string, attached: string | undefined): Promise<void> => {
    if (flag.kind === 'switch') {
      if (attached !== undefined) throw new UsageError(`${written} takes no value`)
      values.set(flag.name, true)
      return
    }
    if (flag.kind === 'optional' && attached === undefined) {
      values.set(flag.name, true)
      return
    }
    const value = attached ?? rest.shift()
    if (value === undefined) throw new UsageError(`${written} takes a value: ${flag.value ?? flag.kind}`)
    if (flag.choices !== undefined && !flag.choices.includes(value)) {
      const { nearest } = await import('../core/errors.ts')
      const near = nearest(value, flag.choices)
      throw new UsageError(
        `${written} is ${value}, expected ${flag.choices.join(', ')}`,
        near === undefined ? undefined : `did you mean ${near}?`,
      )
    }
    const before = values.get(flag.name)
    values.set(flag.name, [...(Array.isArray(before) ? before : []), value])
  }
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      positionals.push(...rest.splice(0))
    } else if (word.startsWith('--')) {
      const [, name = '', attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word)!
      const negated = name.startsWith('no-') ? known.find(one => one.name === name.slice(3)) : undefined
      if (negated?.kind === 'switch' || negated?.kind === 'optional') values.set(negated.name, false)
      else await give(await find(name, word), `--${name}`, attached)
    } else if (word.startsWith('-') && word !== '-') {
      for (let i = 1; i < word.length; i++) {
        const flag = known.find(one => one.short === word[i])
        if (flag === undefined)
          throw new UsageError(`${verb.name} has no option -${word[i]}`, `see open-iterable ${verb.name} --help`)
        if (flag.kind === 'switch') {
          values.set(flag.name, true)
          continue
        }
        await give(flag, `-${word[i]}`, i + 1 < word.length ? word.slice(i + 1).replace(/^=/, '') : undefined)
        break
      }
    } else positionals.push(word)
  }
  if (values.get('help') !== true) checkPositionals(verb, positionals)
  return { positionals, flags: new Flags(values) }
}

function checkPositionals(verb: Verb, positionals: readonly string[]): void {
  const needed = verb.arguments.filter(argument => argument.optional !== true)
  if (positionals.length < needed.length) {
    const missing = needed[positionals.length]!
    throw new UsageError(
      `${verb.name} needs <${missing.name}>: ${missing.means}`,
      `see open-iterable ${verb.name} --help`,
    )
  }
  const takesMany = verb.arguments.some(argument => argument.many === true)
  if (!takesMany && positionals.length > verb.arguments.length) {
    throw new UsageError(
      `${verb.name} takes ${verb.arguments.length} arguments, found ${positionals.length}: ${positionals.join(' ')}`,
      'put a name that begins with - after --',
    )
  }
}

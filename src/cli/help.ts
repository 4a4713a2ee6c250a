/** Help texts and shell completion, from the declarations. */
import type { Flag, Verb } from './declare.ts'
import { COMMON_FLAGS } from './parse.ts'

const NAME = 'open-iterable'

export function helpOfAll(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map(verb => verb.name.length))
  return `${NAME}: read, convert and look at tabular data: CSV, JSON, JSON Lines, Parquet and more, from files, URLs, S3, Postgres.

Usage: ${NAME} <verb> [options] …

${verbs.map(verb => `  ${verb.name.padEnd(width)}  ${verb.means}`).join('\n')}

  ${NAME} <verb> --help    options and examples of a verb
  ${NAME} --version        the version
  ${NAME} completion bash  a script for tab completion; zsh and fish, too

A target is a path, a URL (http:, https:, s3:, postgres:), a glob, or - for standard input and output.
Exit codes: 0 all went well, 1 data is wrong or some of it failed, 2 the command line is wrong, 130 interrupted.
`
}

export function helpOf(verb: Verb): string {
  const usage = verb.arguments.map(({ name, optional, many }) => {
    const text = `<${name}>${many === true ? '…' : ''}`
    return optional === true ? `[${text}]` : text
  })
  const positionals = verb.arguments.map(({ name, means }) => [`<${name}>`, means] as const)
  const flags = [...verb.flags, ...COMMON_FLAGS].map(flag => [written(flag), described(flag)] as const)
  const section = (title: string, lines: readonly (readonly [string, string])[]) =>
    lines.length === 0 ? '' : `\n${title}\n${columns(lines)}`
  const examples = verb.examples.map(([command, does]) => `  ${does}\n    ${NAME} ${command}\n`).join('')
  return `${verb.means}

Usage: ${NAME} ${[verb.name, '[options]', ...usage].join(' ')}
${section('Arguments', positionals)}${section('Options', flags)}
Examples
${examples}`
}

const written = (flag: Flag): string => {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `
  const value = `<${flag.value ?? flag.kind}>`
  if (flag.kind === 'switch') return `${short}--${flag.name}`
  return flag.kind === 'optional' ? `${short}--${flag.name}[=${value}]` : `${short}--${flag.name} ${value}`
}

const described = ({ means, choices }: Flag): string =>
  choices === undefined ? means : `${means} One of ${choices.join(', ')}.`

function columns(lines: readonly (readonly [string, string])[]): string {
  const width = Math.min(34, Math.max(...lines.map(([left]) => left.length)))
  return lines
    .map(([left, right]) => {
      const head = `  ${left.padEnd(width)}  `
      return `${left.length > width ? `  ${left}\n${' '.repeat(width + 4)}` : head}${right}\n`
    })
    .join('')
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** A script that completes verbs and options; files are completed by the shell itself. */
export function completion(shell: (typeof SHELLS)[number], verbs: readonly Verb[]): string {
  const flagsOf = (verb: Verb) => [...verb.flags, ...COMMON_FLAGS].map(flag => `--${flag.name}`)
  const names = verbs.map(verb => verb.name)
  if (shell === 'fish') {
    const ofVerbs = verbs.map(
      verb => `complete -c ${NAME} -n __fish_use_subcommand -a ${verb.name} -d '${verb.means.replaceAll("'", "\\'")}'`,
    )
    const ofFlags = verbs.flatMap(verb =>
      [...verb.flags, ...COMMON_FLAGS].map(
        flag =>
          `complete -c ${NAME} -n '__fish_seen_subcommand_from ${verb.name}' -l ${flag.name} -d '${flag.means.replaceAll("'", "\\'")}'`,
      ),
    )
    return `${[...ofVerbs, ...ofFlags].join('\n')}\n`
  }
  const cases = verbs.map(verb => `    ${verb.name}) words="${flagsOf(verb).join(' ')}" ;;`).join('\n')
  const choices = verbs.flatMap(verb =>
    verb.flags
      .filter(flag => flag.choices !== undefined)
      .map(flag => `    ${verb.name}:--${flag.name}) words="${flag.choices!.join(' ')}" ;;`),
  )
  // Where nothing is offered the shell completes file names, which it knows best how to quote.
  const script = `_${NAME.replace('-', '_')}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${[...names, 'help', 'completion'].join(' ')}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}:\${COMP_WORDS[COMP_CWORD-1]}" in
    help:*) words="${names.join(' ')}" ;;
    completion:*) words="${SHELLS.join(' ')}" ;;
${choices.join('\n')}
  esac
  if [ -z "$words" ] && [[ "$current" == -* ]]; then
    case "\${COMP_WORDS[1]}" in
${cases}
    esac
  fi
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); fi
}
complete -o bashdefault -o default -F _${NAME.replace('-', '_')} ${NAME}
`
  return shell === 'bash'
    ? script
    : `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${script}`
}

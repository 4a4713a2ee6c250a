/** Parsers of types that the user has set: in the options, on a client or a pool, or for the driver as a whole. */
import { createRequire } from 'node:module'
import type { DriverClient } from './driver.ts'
import type { UserParsers } from './types.ts'

type TextParser = (text: string) => unknown

/** The driver's own parser of each type, which are not used here: only those that somebody has put in their place are. */
let own: ReadonlyMap<number, TextParser> | undefined

function ownParsers(): ReadonlyMap<number, TextParser> {
  if (own !== undefined) return own
  const parsers = new Map<number, TextParser>()
  try {
    const ofDriver = createRequire(createRequire(import.meta.url).resolve('pg'))
    const { init } = ofDriver('pg-types/lib/textParsers') as {
      init(register: (oid: number, parser: TextParser) => void): void
    }
    init((oid, parser) => parsers.set(oid, parser))
  } catch {} // a driver that is laid out otherwise: parsers set for all of it are not known
  own = parsers
  return parsers
}

/** How a client of the driver gives what it has for a type that nothing is set for. */
const NOT_A_TYPE = 2 ** 31 - 1

export function userParsersOf(
  client: DriverClient,
  given: Readonly<Record<string, TextParser>> | undefined,
): UserParsers {
  const nothing = client.getTypeParser?.(NOT_A_TYPE, 'text')
  return (oid, name) => {
    const fromOptions = given?.[oid] ?? (name === undefined ? undefined : given?.[name])
    if (fromOptions !== undefined) return fromOptions
    const parser = client.getTypeParser?.(oid, 'text')
    if (parser === undefined || parser === nothing) return undefined
    const parsers = ownParsers()
    // That of JSON is bound anew each time it is asked for.
    if (parsers.size === 0 || parser === parsers.get(oid) || parser.name === 'bound parse') return undefined
    return parser
  }
}

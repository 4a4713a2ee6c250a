/**
 * A filter in front of a Postgres that takes features away, to stand for databases that speak its protocol and are not
 * Postgres. What it refuses, it refuses as they do.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What a server lacks. */
export interface WireProfile {
  /** Statements that are refused: pattern, SQLSTATE, message. */
  readonly deny?: readonly (readonly [sql: RegExp, state: string, message: string])[]
  /** What becomes of an Execute with a row limit. `forget`: the portal is gone at the second one outside a transaction. */
  readonly rowLimit?: 'ignore' | 'error' | 'forget'
  /** All columns are said to be of this type. */
  readonly allTypes?: number
  /** The only settings that are reported. */
  readonly parameters?: readonly string[]
  /** Settings that are reported beside. */
  readonly reports?: Readonly<Record<string, string>>
  readonly noSqlState?: boolean
  /** A Flush is not heeded: answers come with the next Sync. */
  readonly ignoresFlush?: boolean
}

const NO_CATALOG = /pg_catalog|pg_type|pg_class|information_schema/i
export const WIRE_PROFILES = {
  cockroach: { rowLimit: 'forget', reports: { crdb_version: 'CockroachDB CCL v25.1.0' } },
  questdb: {
    deny: [
      [/^\s*(?:copy|declare|fetch|move|close)\b/i, '00000', 'unexpected token'],
      [NO_CATALOG, '00000', 'table does not exist'],
      [/^\s*begin\s+\S/i, '00000', "unexpected token: 'read'"],
    ],
    parameters: ['server_version', 'client_encoding', 'TimeZone'],
  },
  crate: {
    deny: [
      [/^\s*copy\b/i, 'XX000', "line 1:1: mismatched input 'COPY'"],
      [/^\s*(?:declare|fetch|set\s+transaction)\b/i, 'XX000', 'mismatched input'],
    ],
    reports: { crate_version: '5.9.0' },
  },
  textOnly: {
    allTypes: 1043,
    parameters: [],
    rowLimit: 'error',
    ignoresFlush: true,
    deny: [
      [/^\s*(?:copy|declare|fetch|set|show|begin|commit|rollback|deallocate)\b/i, '42601', 'syntax error'],
      [NO_CATALOG, '42P01', 'no such table'],
    ],
    noSqlState: true,
  },
} satisfies Record<string, WireProfile>

export interface WireFilter {
  readonly port: number
  /** What was refused. */
  readonly refused: string[]
  stop(): Promise<void>
}

export async function startWireFilter(targetPort: number, profile: WireProfile): Promise<WireFilter> {
  const refused: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, client => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    filter(client, upstream, profile, message => refused.push(message))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    refused,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function filter(client: Socket, upstream: Socket, profile: WireProfile, onRefused: (message: string) => void): void {
  let started = false
  /** Messages are passed over until Sync, as the server does after an error. */
  let skipping = false
  let status = 'I'
  let limited = false
  const refuse = (state: string, message: string) => {
    onRefused(message)
    client.write(errorMessage(profile.noSqlState === true ? undefined : state, message))
  }
  const denied = (sql: string) => profile.deny?.find(([pattern]) => pattern.test(sql))

  const fromClient = (message: Buffer) => {
    const type = String.fromCharCode(message[0]!)
    if (skipping && type !== 'S') return
    if (type === 'Q') {
      const found = denied(message.toString('utf8', 5, message.length - 1))
      if (found !== undefined) {
        refuse(found[1], found[2])
        client.write(wireMessage('Z', Buffer.from(status === 'T' ? 'E' : status)))
        return
      }
    } else if (type === 'P') {
      const name = message.indexOf(0, 5)
      const sql = message.toString('utf8', name + 1, message.indexOf(0, name + 1))
      if (/^\s*begin\b/i.test(sql)) status = 'T'
      const found = denied(sql)
      if (found !== undefined) {
        skipping = true
        return refuse(found[1], found[2])
      }
    } else if (type === 'E' && message.readInt32BE(message.length - 4) > 0) {
      if (profile.rowLimit === 'error' || (profile.rowLimit === 'forget' && limited && status === 'I')) {
        skipping = true
        return profile.rowLimit === 'error'
          ? refuse('0A000', 'row count limits are not supported')
          : refuse('34000', 'unknown portal ""')
      }
      if (profile.rowLimit === 'ignore') message.writeInt32BE(0, message.length - 4)
      limited = true
    } else if (type === 'S') {
      skipping = limited = false
    } else if (type === 'H' && profile.ignoresFlush === true) return
    upstream.write(message)
  }

  const fromServer = (message: Buffer) => {
    const type = String.fromCharCode(message[0]!)
    if (type === 'Z') status = String.fromCharCode(message[5]!)
    if (type === 'S' && profile.parameters !== undefined) {
      if (!profile.parameters.includes(message.toString('utf8', 5, message.indexOf(0, 5)))) return
    }
    if (type === 'K')
      for (const [name, value] of Object.entries(profile.reports ?? {}))
        client.write(wireMessage('S', Buffer.from(`${name}\0${value}\0`)))
    if (type === 'T' && profile.allTypes !== undefined) {
      for (let count = message.readInt16BE(5), at = 7; count > 0; count--, at += 18) {
        at = message.indexOf(0, at) + 1
        message.writeInt32BE(profile.allTypes, at + 6)
        message.writeInt16BE(-1, at + 10)
      }
    }
    if (type === 'E' && profile.noSqlState === true) {
      message = wireMessage('E', Buffer.from(message.toString('latin1', 5).replace(/C[0-9A-Z]{5}\0/, ''), 'latin1'))
    }
    if (!client.write(message) && !upstream.isPaused()) {
      upstream.pause()
      client.once('drain', () => upstream.resume())
    }
  }

  const cutServer = cutter(fromServer)
  upstream.on('data', data => cutServer(data))
  const cutClient = cutter(fromClient)
  let opening = Buffer.alloc(0)
  client.on('data', data => {
    if (started) return cutClient(data)
    opening = Buffer.concat([opening, data])
    while (!started && opening.length >= 8 && opening.length >= opening.readInt32BE(0)) {
      const length = opening.readInt32BE(0)
      const code = opening.readInt32BE(4)
      const message = opening.subarray(0, length)
      opening = opening.subarray(length)
      if (code === 80_877_103)
        client.write('N') // SSLRequest
      else {
        started = true
        upstream.write(message)
      }
    }
    if (started && opening.length > 0) cutClient(opening)
  })
}

/** Cuts a stream into messages. */
function cutter(onMessage: (message: Buffer) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return data => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data])
    let at = 0
    while (rest.length >= at + 5 && rest.length > at + rest.readInt32BE(at + 1)) {
      const end = at + 1 + rest.readInt32BE(at + 1)
      onMessage(Buffer.from(rest.subarray(at, end)))
      at = end
    }
    rest = rest.subarray(at)
  }
}

function wireMessage(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function errorMessage(state: string | undefined, text: string): Buffer {
  return wireMessage('E', Buffer.from(`SERROR\0VERROR\0${state === undefined ? '' : `C${state}\0`}M${text}\0\0`))
}

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTcpProxy, type TcpFaults, type TcpProxyOptions } from './tcp-proxy.ts'

/** Answers whatever comes by these bytes, and ends. */
const ANSWER = Buffer.from('0123456789'.repeat(10_000))

let server: Server
let port: number

beforeAll(async () => {
  server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(ANSWER))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

afterAll(() => {
  server.close()
})

/** What a client sees of a connection: the bytes, and how it ended. */
async function ask(to: number, onData?: (length: number) => void) {
  const socket = connect({ port: to, host: '127.0.0.1' })
  const chunks: Buffer[] = []
  let length = 0
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    onData?.(length)
  })
  socket.write('?')
  const [how] = await Promise.race([
    once(socket, 'end').then(() => ['end']),
    once(socket, 'error').then(() => ['']),
  ]).catch((error: NodeJS.ErrnoException) => [error.code])
  socket.destroy()
  return { bytes: Buffer.concat(chunks), how, pieces: chunks.length }
}

async function withProxy<T>(
  options: TcpProxyOptions,
  work: (proxy: Awaited<ReturnType<typeof startTcpProxy>>) => Promise<T>,
) {
  const proxy = await startTcpProxy(port, options)
  try {
    return await work(proxy)
  } finally {
    await proxy.stop()
  }
}

describe('tcp proxy', () => {
  it('passes everything on', async () => {
    await withProxy({}, async proxy => {
      const { bytes, how } = await ask(proxy.port)
      expect(bytes.equals(ANSWER)).toBe(true)
      expect(how).toBe('end')
      expect(proxy.receivedBytes).toBe(ANSWER.length)
    })
  })

  it.each<[string, TcpFaults, number, string]>([
    ['resets at once', { refuse: true }, 0, 'ECONNRESET'],
    ['resets', { resetAfterBytes: 12_345 }, 12_345, 'ECONNRESET'],
    ['ends', { endAfterBytes: 12_345 }, 12_345, 'end'],
    ['resets before the first byte', { resetAfterSentBytes: 1 }, 0, 'ECONNRESET'],
    ['is slow', { bytesPerSecond: 2_000_000 }, ANSWER.length, 'end'],
    ['cuts small', { pieceBytes: 1000, delayMs: 1 }, ANSWER.length, 'end'],
  ])('%s', async (_, faults, length, how) => {
    await withProxy({ faults }, async proxy => {
      const answer = await ask(proxy.port)
      expect(answer.bytes.equals(ANSWER.subarray(0, length))).toBe(true)
      expect(answer.how).toBe(how)
    })
  })

  it('changes a byte', async () => {
    await withProxy({ faults: { corruptByte: 70_000 } }, async proxy => {
      const { bytes } = await ask(proxy.port)
      const wrong = [...bytes.keys()].filter(at => bytes[at] !== ANSWER[at])
      expect([bytes.length, wrong]).toEqual([ANSWER.length, [70_000]])
    })
  })

  it('stalls, and keeps the connection open until it is reset', async () => {
    await withProxy({ faults: { stallAfterBytes: 5000 } }, async proxy => {
      const { bytes, how } = await ask(proxy.port, length => {
        if (length === 5000) setImmediate(() => proxy.resetAll())
      })
      expect(bytes.length).toBe(5000)
      expect(how).toBe('ECONNRESET')
    })
  })

  it('is a black hole', async () => {
    await withProxy({ faults: { blackHole: true } }, async proxy => {
      const socket = connect({ port: proxy.port, host: '127.0.0.1' })
      await once(socket, 'connect')
      socket.write('?')
      await expect.poll(() => proxy.open).toBe(1)
      expect(socket.bytesRead).toBe(0)
      expect(proxy.receivedBytes).toBe(0)
      socket.destroy()
      await expect.poll(() => proxy.open).toBe(0)
    })
  })

  it('does it to the n-th connection alone', async () => {
    await withProxy({ onConnection: n => (n === 2 ? { resetAfterBytes: 10 } : undefined) }, async proxy => {
      const lengths: number[] = []
      for (let i = 0; i < 3; i++) lengths.push((await ask(proxy.port)).bytes.length)
      expect(lengths).toEqual([ANSWER.length, 10, ANSWER.length])
      expect(proxy.accepted).toBe(3)
    })
  })
})

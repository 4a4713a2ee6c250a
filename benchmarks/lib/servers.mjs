/**
 * The S3 and HTTP servers of the tests, each in a process of its own, so that they take no time of what is measured; and the
 * sources of bytes, which the package does not export.
 */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('../../', import.meta.url)
const compiled = fileURLToPath(new URL('benchmarks/data/servers/', root))
const MODULES = {
  's3 server': 'test/support/s3-server/index.ts',
  'http server': 'test/sources/http-server.ts',
  's3 source': 'src/sources/s3/source.ts',
  'http source': 'src/sources/http/index.ts',
}

/**
 * Where a module is, once `startServer` has compiled it.
 * @param {keyof typeof MODULES} name
 */
export const moduleOf = name => pathToFileURL(`${compiled}${MODULES[name].replace(/\.ts$/, '.js')}`).href

/**
 * Starts a server with the files that `files` describes: names with how many bytes of table they hold.
 * @param {'s3' | 'http'} kind
 * @param {{ files: Record<string, number>, delayMs?: number }} content
 */
export async function startServer(kind, content) {
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', root))
  const options =
    '--rootDir . --module nodenext --target es2022 --skipLibCheck --types node --lib es2023,es2024.string,esnext.disposable'.split(
      ' ',
    )
  execFileSync(
    process.execPath,
    [
      tsc,
      ...Object.values(MODULES),
      '--outDir',
      compiled,
      ...options,
      '--rewriteRelativeImportExtensions',
      '--ignoreConfig',
    ],
    { cwd: fileURLToPath(root), stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const child = fork(fileURLToPath(new URL('server-child.mjs', import.meta.url)), [
    JSON.stringify({ kind, ...content }),
  ])
  const [{ endpoint, clientOptions }] = await once(child, 'message')
  return {
    endpoint,
    clientOptions,
    async stop() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

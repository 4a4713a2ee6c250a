/** What a process leaves on S3 that is killed while it writes: the old object or the new one, and at most its upload. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type S3Fault, type S3Server, startS3Server } from '../support/s3-server/index.ts'
import { TestFolder } from './place.ts'

const BUCKET = 'killed'
const PART_BYTES = 65_536
const TEXT = 'a line of the new object\n'
const OLD = 'the old object'

const folder = new TestFolder()
const library = join(folder.path, 'compiled')
const root = fileURLToPath(new URL('../..', import.meta.url))
const script = fileURLToPath(new URL('s3-write-child.mjs', import.meta.url))
let server: S3Server

// The child is a plain Node process, which on the oldest supported version runs no TypeScript.
beforeAll(async () => {
  const config = join(folder.path, 'tsconfig.json')
  const compilerOptions = {
    rootDir: join(root, 'src'),
    outDir: library,
    noEmit: false,
    declaration: false,
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const files = [join(root, 'src/sources/s3/sink.ts')]
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files }))
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'))
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json')
  execFileSync(process.execPath, [join(dirname(compiler), 'bin/tsc'), '-p', config])
  server = await startS3Server({ buckets: [BUCKET], minPartBytes: 1 })
})
afterAll(async () => {
  await server.stop()
  folder.remove()
})

/** Writes over the old object, and kills the writer where the fault says. */
async function writeAndKill(
  key: string,
  times: number,
  fault: Pick<S3Fault, 'operation' | 'skip'>,
  when: 'before' | 'after',
) {
  server.put(BUCKET, key, OLD)
  const task = {
    location: { bucket: BUCKET, key },
    s3: { ...server.clientOptions, partBytes: PART_BYTES, concurrency: 2 },
    text: TEXT,
    times,
  }
  const child = spawn(process.execPath, [script, library, JSON.stringify(task)], { stdio: 'ignore' })
  const gone = once(child, 'close')
  const kill = async () => {
    child.kill('SIGKILL')
    await gone
  }
  server.faults.clear()
  server.faults.add({ ...fault, key, [when]: kill })
  const [, signal] = await gone
  expect(signal).toBe('SIGKILL')
  return server.bytesOf(BUCKET, key)?.toString()
}

describe('a process that is killed while it writes to S3', () => {
  const times = Math.ceil((4 * PART_BYTES) / TEXT.length)
  const fresh = TEXT.repeat(times)

  it.each([
    ['before it begins an upload', { operation: 'CreateMultipartUpload' }, 'before', OLD, 1],
    ['after it began one', { operation: 'CreateMultipartUpload' }, 'after', OLD, 1],
    ['before a part is taken', { operation: 'UploadPart', skip: 1 }, 'before', OLD, 1],
    ['after a part is taken', { operation: 'UploadPart', skip: 2 }, 'after', OLD, 1],
    ['before the completion', { operation: 'CompleteMultipartUpload' }, 'before', OLD, 1],
    ['after the completion', { operation: 'CompleteMultipartUpload' }, 'after', fresh, 0],
  ] as const)('%s', async (name, fault, when, wanted, uploads) => {
    server.storage.uploads.clear()
    const found = await writeAndKill(name, times, fault, when)
    // A request that the dead process had sent may still be worked on: whole, too.
    expect([OLD, fresh]).toContain(found)
    if (fault.operation !== 'CompleteMultipartUpload' || when === 'after') expect(found).toBe(wanted)
    expect(server.storage.uploads.size).toBeLessThanOrEqual(uploads)
  })

  it.each([
    ['before a small object is taken', 'before'],
    ['after a small object is taken', 'after'],
  ] as const)('%s', async (name, when) => {
    const found = await writeAndKill(name, 10, { operation: 'PutObject' }, when)
    expect([OLD, TEXT.repeat(10)]).toContain(found)
    if (when === 'after') expect(found).toBe(TEXT.repeat(10))
    expect(server.storage.uploads.size).toBe(0)
  })
})

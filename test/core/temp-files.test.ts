/** Temp files: whose they are, and when they go. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimTempPath, openTempFile, releaseTempPath } from '../../src/core/temp-files.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-temp-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('a temp file', () => {
  it('belongs to this user alone, and goes when it is disposed', async () => {
    const file = await openTempFile()
    const info = await stat(file.path)
    if (process.platform !== 'win32') {
      expect(info.mode & 0o777).toBe(0o600)
      expect((await stat(join(file.path, '..'))).mode & 0o777).toBe(0o700)
    }
    await file.handle.write('x')
    await Promise.all([file[Symbol.asyncDispose](), file[Symbol.asyncDispose]()])
    await expect(stat(file.path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('goes with a process that ends without disposing it', async () => {
    const library = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href
    const own = join(folder, 'ended')
    await mkdir(own)
    // What is read from a stream is copied to a temp file; the process ends while it is open.
    const script = `
      import { openIterable } from ${JSON.stringify(library)}
      import { readFileSync, readdirSync } from 'node:fs'
      const bytes = readFileSync(${JSON.stringify(join(import.meta.dirname, '../../fixtures/parquet/nested_maps.snappy.parquet'))})
      const reader = openIterable((async function* () { yield bytes })(), { format: 'parquet' })
      await reader.read()
      console.log(JSON.stringify(readdirSync(process.env.TMPDIR, { recursive: true })))
      process.exit(0)`
    const env = { ...process.env, TMPDIR: own }
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' })
    expect(JSON.parse(output).filter((name: string) => name.endsWith('.tmp')).length).toBeGreaterThan(0)
    const left = await readdir(own, { recursive: true })
    expect(left.filter(name => name.endsWith('.tmp'))).toEqual([])
  })

  it('of a process that was killed is removed by the next one, and no other file is', async () => {
    const mine = basename(await claimTempPath(folder))
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    const [, , start, place] = /^(\d+)-(\w+)-([0-9a-f]+)-/.exec(mine)!
    const other = join(folder, 'other')
    await mkdir(other)
    const names = {
      killed: `${pid}-${start}-${place}-0123456789ab.tmp`,
      killedFolder: `${pid}-${start}-${place}-0123456789ac.tmp`,
      living: `${process.pid}-${start}-${place}-0123456789ab.tmp`,
      elsewhere: `${pid}-${start}-000000000000-0123456789ab.tmp`,
      elsewhereLongAgo: `${pid}-${start}-000000000000-0123456789ac.tmp`,
      foreign: 'people.csv.tmp',
    }
    for (const [kind, name] of Object.entries(names)) {
      if (kind === 'killedFolder') await mkdir(join(other, name, 'inside'), { recursive: true })
      else await writeFile(join(other, name), '')
    }
    const longAgo = new Date(Date.now() - 8 * 24 * 60 * 60 * 1000)
    await utimes(join(other, names.elsewhereLongAgo), longAgo, longAgo)
    const file = await openTempFile(other)
    const left = (await readdir(other)).filter(name => name !== basename(file.path)).sort()
    expect(left).toEqual([names.living, names.elsewhere, names.foreign].sort())
    await file[Symbol.asyncDispose]()
    releaseTempPath(join(folder, mine))
  })
})

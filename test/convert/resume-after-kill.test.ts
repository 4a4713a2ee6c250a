/** A bulk conversion that is killed, again and again, ends with what one undisturbed run gives. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const FILES = Number(process.env.OPEN_ITERABLE_KILL_FILES ?? 200)
const KILLS = 10
const folder = await mkdtemp(join(tmpdir(), 'open-iterable-kill-'))
afterAll(() => rm(folder, { recursive: true }))

const real = await readFile('node_modules/vega-datasets/data/cars.json', 'utf8')
const cars = JSON.parse(real) as object[]

/** Runs the conversion; kills it once it has converted so many files. Gives the exit code, null if it was killed. */
function run(to: string, killAfter: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, '../support/bulk-child.mjs')
    const child: ChildProcess = fork(script, [join(folder, 'in'), to], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    let seen = 0
    child.on('message', () => {
      if (++seen === killAfter) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('exit', resolve)
  })
}

async function contents(root: string): Promise<Map<string, string>> {
  const names = (await readdir(root, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
  const files = await Promise.all(
    names.map(
      async ({ parentPath, name }) =>
        [join(parentPath, name).slice(root.length), await readFile(join(parentPath, name), 'latin1')] as const,
    ),
  )
  return new Map(files.filter(([name]) => !name.includes('manifest')).sort())
}

it(`gives the same outputs after ${KILLS} kills`, async () => {
  for (let i = 0; i < FILES; i++) {
    const name = join(folder, 'in', `${i % 7}`, `cars-${i}.jsonl`)
    await mkdir(join(name, '..'), { recursive: true })
    const rows = cars.slice(i % 300, (i % 300) + 20)
    await writeFile(name, rows.map(row => `${JSON.stringify(row)}\n`).join(''))
  }
  expect(await run(join(folder, 'whole', '{dir}', '{stem}.csv.gz'), Number.POSITIVE_INFINITY)).toBe(0)
  const whole = await contents(join(folder, 'whole'))
  expect(whole.size).toBe(FILES)

  const torn = join(folder, 'torn', '{dir}', '{stem}.csv.gz')
  // Moments that are spread over the run, and differ from kill to kill.
  for (let kill = 0; kill < KILLS; kill++)
    expect(await run(torn, 1 + ((kill * 7919) % Math.floor(FILES / KILLS / 2)))).toBeNull()
  const before = await contents(join(folder, 'torn'))
  for (const [name, text] of before) if (whole.has(name)) expect(text).toBe(whole.get(name))
  expect(await run(torn, Number.POSITIVE_INFINITY)).toBe(0)
  const after = await contents(join(folder, 'torn'))
  const debris = [...after.keys()].filter(name => !whole.has(name))
  for (const name of whole.keys()) expect(after.get(name)).toBe(whole.get(name))
  expect(debris).toEqual([])
  // What was done stays done: one more run converts nothing.
  expect(await run(torn, 1)).toBe(0)
}, 120_000)

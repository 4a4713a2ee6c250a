/** The workflows of the public repository run what is there, on the versions of Node that the package promises. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const FOLDER = join(ROOT, '.github/workflows')
const { scripts, engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const workflows = readdirSync(FOLDER).map(name => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }))

it('run scripts that package.json has', () => {
  const run = workflows.flatMap(({ text }) =>
    [...text.matchAll(/npm (?:run ([\w:-]+)|(test))/g)].map(m => m[1] ?? m[2]!),
  )
  expect(run.length).toBeGreaterThan(4)
  expect(run.filter(name => scripts[name] === undefined)).toEqual([])
})

it('test the oldest Node that package.json allows, and 20, 22 and 24', () => {
  const ci = workflows.find(({ name }) => name === 'ci.yml')!.text
  const versions = [...ci.matchAll(/node: \[(.*)\]/g)].flatMap(match =>
    [...match[1]!.matchAll(/'([\d.]+)'/g)].map(m => m[1]!),
  )
  const oldest = /^>=(\d+\.\d+)/.exec(engines.node)![1]!
  expect(versions).toEqual([oldest, '20', '22', '24'])
})

it('may read the repository and no more, but for the provenance of what is published', () => {
  for (const { name, text } of workflows) {
    const granted = [...text.matchAll(/^ +([a-z-]+): (?:write|read|admin)$/gm)].map(match => match[0].trim())
    const more = granted.filter(permission => permission !== 'contents: read')
    expect(more, name).toEqual(name === 'release.yml' ? ['id-token: write'] : [])
    expect(text, name).toMatch(/^permissions:\n {2}contents: read$/m)
    expect(text, name).not.toMatch(/secrets\./)
  }
})

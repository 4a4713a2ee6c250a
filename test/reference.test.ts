/** What the package exports is documented where it is declared: every name, and every member of what has some. */
import { readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ENTRIES } from './support/compile-snippets.ts'
import { undocumented } from './support/undocumented.ts'

const ROOT = resolve(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, unknown>>
}

it('is made of all that the package exports', () => {
  const names = Object.keys(manifest.exports).filter(name => name !== './package.json')
  expect(Object.keys(ENTRIES)).toEqual(names.map(name => name.replace(/^\./, 'open-iterable')))
  const reference = JSON.parse(readFileSync(join(ROOT, 'typedoc.json'), 'utf8'))
  expect(reference.entryPoints).toEqual(Object.values(ENTRIES))
  expect(reference.treatWarningsAsErrors).toBe(true)
})

describe('what is exported', () => {
  const { names, members, missing, withoutDefault } = undocumented(
    Object.values(ENTRIES).map(path => join(ROOT, path)),
    join(ROOT, 'tsconfig.json'),
  )
  const placesOf = (found: typeof missing) =>
    found.map(({ file, line, name }) => `${relative(ROOT, file)}:${line} ${name}`)

  it('has a doc comment for every name, and for every member of an interface, a class or a set of options', () => {
    expect(names).toBeGreaterThan(250)
    expect(members).toBeGreaterThan(1000)
    expect(placesOf(missing)).toEqual([])
  })

  it('says of every option that need not be given what it is then', () => {
    expect(placesOf(withoutDefault)).toEqual([])
  })
})

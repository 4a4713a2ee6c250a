/** THIRD-PARTY.md names what is in the bundle and not ours, and nothing else. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { bundle } from '../../scripts/bundle.mjs'

const ROOT = resolve(import.meta.dirname, '../..')

it('names each piece of other code that is bundled', async () => {
  const modules = (await bundle()).flatMap(file => file.modules)
  const ours = modules.filter(module => /^[a-z][a-z0-9/-]*\.ts$/.test(module))
  expect(ours.length).toBeGreaterThan(100)
  // `../\0@scope+name@1.2.3/helpers/esm/usingCtx.js`
  const others = modules
    .filter(module => !ours.includes(module))
    .map(module => {
      const [, name, file] = /\0?((?:@[^/@]+[+/])?[^/@]+)@[^/]*\/.*?([^/]+)\.\w+$/.exec(module) ?? ['', module, '?']
      return `${name!.replace('+', '/')} (\`${file}\`)`
    })
  const text = readFileSync(join(ROOT, 'THIRD-PARTY.md'), 'utf8')
  const named = [...text.matchAll(/^## (.+), [\w.-]+$/gm)].map(match => match[1]!)
  expect([...new Set(others)].sort()).toEqual(named.sort())
})

it('is published with the package', () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  expect(files).toContain('THIRD-PARTY.md')
})

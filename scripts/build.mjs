// Makes dist/ from src/, from nothing, so that no file of an earlier build is published: the code bundled and without its
// comments, as it is loaded by everyone; the types file by file and with theirs, as editors show them.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle, writeBundle } from './bundle.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

const files = await bundle()
rmSync(dist, { recursive: true, force: true })
await writeBundle(dist, files)
const compiler = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']
process.exitCode = spawnSync(process.execPath, compiler, { cwd: root, stdio: 'inherit' }).status ?? 1
// What the bundle leaves out of the table of errors.
const errors = join(dist, 'core/errors.d.ts')
writeFileSync(
  errors,
  readFileSync(errors, 'utf8').replace(/^ *readonly means: (?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|string);\n/gm, ''),
)

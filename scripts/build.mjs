// Compiles src/ to dist/ from nothing, so that no file of an earlier build is published. The code goes out without its
// comments, as it is loaded by everyone; the types go out with theirs, as editors show them.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = options =>
  execFileSync(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json', ...options], {
    cwd: root,
    stdio: 'inherit',
  })

rmSync(`${root}/dist`, { recursive: true, force: true })
tsc(['--declaration', 'false', '--removeComments'])
tsc(['--emitDeclarationOnly'])

/** Checks the types of snippets as a project of TypeScript would, with the package's names meaning the sources. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

/** What `open-iterable` and its subpaths mean in src/. */
export const ENTRIES = {
  'open-iterable': 'src/index.ts',
  'open-iterable/plugin': 'src/plugin.ts',
  'open-iterable/resilience': 'src/resilience/index.ts',
  'open-iterable/telemetry': 'src/core/telemetry.ts',
  'open-iterable/testing': 'src/testing/index.ts',
} as const

/** What the compiler finds wrong in the files of a folder; not what it finds in src/, which `npm run typecheck` tells. */
export function compileFolder(folder: string): string[] {
  const config = join(folder, 'tsconfig.json')
  const paths = Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, [join(ROOT, file)]]))
  const compilerOptions = {
    noUnusedLocals: false,
    noUnusedParameters: false,
    exactOptionalPropertyTypes: false,
    noUncheckedIndexedAccess: false,
    // One global scope each, whatever a snippet imports.
    moduleDetection: 'force',
    paths,
  }
  writeFileSync(
    config,
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['**/*.ts'], exclude: [] }),
  )
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const run = [compiler, '--noEmit', '-p', config]
  const { stdout } = spawnSync(process.execPath, run, { cwd: folder, encoding: 'utf8' })
  return stdout.split('\n').filter(line => line !== '' && !/^(\.\.| )/.test(line))
}

/** The code of a snippet with the package's names as paths, from a folder `depth` levels below the project. */
export function withSources(code: string, depth: number): string {
  return code.replace(/(from|import\() ?'(open-iterable(?:\/[a-z]+)?)'/g, (all, before: string, name: string) => {
    const file = ENTRIES[name as keyof typeof ENTRIES]
    return file === undefined ? all : `${before}${before === 'from' ? ' ' : ''}'${'../'.repeat(depth)}${file}'`
  })
}

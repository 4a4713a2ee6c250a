/**
 * The package as npm makes it, installed without any network into an empty project, and used from there: what is not
 * published, or not exported, is missed here and nowhere else. Needs dist/ (`npm run build`).
 */
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { snippetsOf } from '../support/snippets.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const MODULES = join(ROOT, 'node_modules')
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const run = promisify(execFile)

/** Whether Node finds nothing there but what the folder itself has. */
const isBare = (path: string): boolean =>
  !existsSync(join(path, 'node_modules')) && (dirname(path) === path || isBare(dirname(path)))
const base = [tmpdir(), '/var/tmp', homedir()].map(path => realpathSync(path)).find(isBare)
if (base === undefined)
  throw new Error('there is a node_modules above every folder that could be tried: use another TMPDIR')
const folder = mkdtempSync(join(base, 'open-iterable-package-'))
const project = join(folder, 'project')
const installed = join(project, 'node_modules/open-iterable')
/** npm as on a machine without a network and without anything in its cache. */
const env = {
  // Not what npm or npx tells those whom it starts, which may be this test.
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
  npm_config_offline: 'true',
  npm_config_cache: join(folder, 'cache'),
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
  npm_config_ignore_scripts: 'true',
  npm_config_loglevel: 'error',
}
const node = async (...args: string[]) => (await run(process.execPath, args, { cwd: project, env })).stdout.trim()
const npm = async (cwd: string, ...args: string[]) => (await run('npm', args, { cwd, env, maxBuffer: 1 << 26 })).stdout

/** The tarball of a folder. */
async function pack(packed: string): Promise<{ readonly path: string; readonly files: readonly string[] }> {
  const [made] = JSON.parse(await npm(folder, 'pack', packed, '--json', '--pack-destination', folder))
  return { path: join(folder, made.filename), files: made.files.map((file: { path: string }) => file.path) }
}

/** Makes packages of this repository's there for the project, too; they find their own where they are. */
function link(...names: readonly string[]): void {
  for (const name of names) {
    const at = join(project, 'node_modules', name)
    if (existsSync(at)) continue
    mkdirSync(dirname(at), { recursive: true })
    symlinkSync(join(MODULES, name), at)
  }
}

let published: readonly string[]

beforeAll(async () => {
  mkdirSync(project)
  const { path, files } = await pack(ROOT)
  published = files
  const dependencies: Record<string, string> = { 'open-iterable': `file:${path}` }
  for (const name of Object.keys(manifest.dependencies)) {
    dependencies[name] = `file:${(await pack(join(MODULES, name))).path}`
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  await npm(project, 'install', '--omit=optional', '--omit=peer')
  cpSync(join(import.meta.dirname, 'consumer'), project, { recursive: true })
  // Not called .ts where it lies, as this repository's own type check has no package to take it from.
  renameSync(join(project, 'types.ts.txt'), join(project, 'types.ts'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the tarball', () => {
  it('has the built files, the licence and the texts beside it, and nothing else', () => {
    const others = published.filter(path => !/^dist\/.+\.(js|d\.ts)$/.test(path))
    expect(others.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD-PARTY.md', 'package.json'].sort())
    const size = published.reduce((sum, path) => sum + statSync(join(installed, path)).size, 0)
    expect(size).toBeLessThan(3_000_000)
  })

  it('has no code of other packages but the helpers of its bundler', () => {
    const code = published.filter(path => path.endsWith('.js')).map(path => readFileSync(join(installed, path), 'utf8'))
    expect(code.filter(text => /node_modules|@license|@preserve|Copyright/.test(text))).toEqual([])
  })

  it('says truly that its modules have no effects: a bare import of each leaves nothing behind', async () => {
    expect(manifest.sideEffects).toBe(false)
    const script = `
      const before = Object.getOwnPropertyNames(globalThis)
      const listeners = () => process.eventNames().map(name => [String(name), process.listenerCount(name)])
      const events = JSON.stringify(listeners())
      for (const entry of ['', '/plugin', '/resilience', '/telemetry']) await import('open-iterable' + entry)
      const added = Object.getOwnPropertyNames(globalThis).filter(name => !before.includes(name))
      const handles = process.getActiveResourcesInfo().filter(name => /Timeout|Immediate|TCP|UDP|Message|Worker/.test(name))
      console.log(JSON.stringify({ added, listeners: events === JSON.stringify(listeners()), handles }))`
    expect(JSON.parse(await node('--input-type=module', '-e', script))).toEqual({
      added: [],
      listeners: true,
      handles: [],
    })
  })
})

describe('a project that installed it', () => {
  it('uses it as ES modules', async () => {
    expect(await node('use.mjs')).toBe('read and written')
  })

  it('uses it by require(), without a warning from Node', async () => {
    const { stdout, stderr } = await run(process.execPath, ['use.cjs'], { cwd: project, env })
    expect(stdout.trim()).toBe(`required ${manifest.version}`)
    // Node 20 and 22 announce require() of ES modules as new, for any package.
    expect(stderr.replace(/^.*(?:ExperimentalWarning: .*require|Use `node --trace-warnings).*\n/gm, '')).toBe('')
  })

  it('has no top-level await anywhere that require() may get to', async () => {
    const entries = Object.entries(manifest.exports as Record<string, unknown>)
      .filter(([path]) => path !== './testing' && path !== './package.json')
      .map(([path]) => `open-iterable${path.slice(1)}`)
    expect(entries.length).toBeGreaterThan(2)
    const script = entries.map(entry => `require(${JSON.stringify(entry)})`).join('\n')
    await node('--no-warnings', '--input-type=commonjs', '-e', script)
  })

  it('runs the command', async () => {
    const { stdout } = await run('npx', ['--no-install', 'open-iterable', '--version'], { cwd: project, env })
    expect(stdout.trim()).toContain(manifest.version)
    writeFileSync(join(project, 'few.csv'), 'a,b\n1,2\n')
    await run('npx', ['--no-install', 'open-iterable', 'convert', 'few.csv', 'few.jsonl'], { cwd: project, env })
    expect(readFileSync(join(project, 'few.jsonl'), 'utf8')).toBe('{"a":"1","b":"2"}\n')
  })

  it('is told the line to install where a package is missing', async () => {
    expect((await node('missing.mjs')).split('\n')).toEqual([
      'parquet: PEER_MISSING: npm install @duckdb/node-api',
      's3: PEER_MISSING: npm install @aws-sdk/client-s3',
      'postgres: PEER_MISSING: npm install pg',
      'big5: PEER_MISSING: npm install iconv-lite',
    ])
  })

  it('can import nothing that is not exported', async () => {
    for (const path of ['open-iterable/dist/index.js', 'open-iterable/registry', 'open-iterable/cli']) {
      const script = `import(${JSON.stringify(path)}).catch(error => console.log(error.code))`
      expect(await node('--input-type=module', '-e', script), path).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED')
    }
  })
})

describe('TypeScript in the project', () => {
  const RESOLUTIONS = {
    nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
    bundler: { module: 'esnext', moduleResolution: 'bundler' },
  } as const

  /** Compiles files of the project, and checks the package's own declarations, too. */
  const compile = async (name: string, options: object, files: readonly string[], typescript = 'typescript') => {
    const config = join(project, `tsconfig.${name}.json`)
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      types: ['node'],
      strict: true,
      outDir: `out-${name}`,
      rootDir: '.',
      ...options,
    }
    writeFileSync(config, JSON.stringify({ compilerOptions, files }))
    const compiler = join(MODULES, typescript, 'bin/tsc')
    const { stdout } = await run(process.execPath, [compiler, '-p', config], { cwd: project, env }).catch(
      error => error,
    )
    return stdout
  }

  beforeAll(() => link('@types/node', 'undici-types'))

  /** The compiler that builds this package, and other majors of it, installed as `typescript-<major>`. */
  const compilers = Object.keys(manifest.devDependencies).filter(name => /^typescript(-\d+)?$/.test(name))
  describe.each(compilers)('%s', typescript => {
    it.each(Object.keys(RESOLUTIONS) as (keyof typeof RESOLUTIONS)[])(
      'infers by %s what is meant',
      async resolution => {
        const options = { ...RESOLUTIONS[resolution], noEmit: true, skipLibCheck: true }
        expect(await compile(`${typescript}-${resolution}`, options, ['types.ts'], typescript)).toBe('')
      },
    )
  })

  it('finds no fault in the declarations themselves, with the packages that they speak of', async () => {
    link('@aws-sdk/client-s3', '@duckdb/node-api', 'apache-arrow')
    const options = { ...RESOLUTIONS.nodenext, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true }
    const found = await compile('declarations', options, ['types.ts'])
    expect(found.split('\n').filter((line: string) => line.includes('open-iterable/'))).toEqual([])
  })

  it("compiles and runs the README's snippets", async () => {
    const people = 'id,name,city\n007,Ada,London\n008,Bob,\n009,Cid,Rome\n'
    writeFileSync(join(project, 'people.csv'), people)
    writeFileSync(join(project, 'people.csv.gz'), gzipSync(people))
    writeFileSync(join(project, 'people.jsonl'), '{"id":1}\n')
    const snippets = snippetsOf(readFileSync(join(ROOT, 'README.md'), 'utf8')).filter(({ runs }) => runs)
    expect(snippets.length).toBeGreaterThan(5)
    const files = snippets.map(({ code }, i) => {
      // `export {}` makes a module of what imports nothing.
      writeFileSync(join(project, `readme-${i}.ts`), `${code}\nexport {}\n`)
      return `readme-${i}.ts`
    })
    const options = { ...RESOLUTIONS.nodenext, skipLibCheck: true }
    expect(await compile('readme', options, files)).toBe('')
    for (const file of readdirSync(join(project, 'out-readme'))
      .filter(name => name.endsWith('.js'))
      .sort()) {
      cpSync(join(project, 'out-readme', file), join(project, file))
      await node(file)
    }
    expect(readFileSync(join(project, 'people.json'), 'utf8')).toContain('"Ada"')
  })
})

describe('with what is optional installed', () => {
  it('reads and writes Parquet, in the threads that the package brings', async () => {
    link('@duckdb/node-api')
    const script = `
      import { bulkConvert, convert, openIterable } from 'open-iterable'
      await convert('few.csv', 'few.parquet', { read: { cast: true } })
      const { succeeded, failed } = await bulkConvert(['few.csv', 'few.parquet'], 'many/{stem}-{ext}.jsonl', { workers: 1 })
      console.log(JSON.stringify([await openIterable('few.parquet').readBulk(), succeeded.length, failed.length]))`
    writeFileSync(join(project, 'parquet.mjs'), script)
    writeFileSync(join(project, 'few.csv'), 'a,b\n1,x\n')
    expect(JSON.parse(await node('parquet.mjs'))).toEqual([[{ a: 1, b: 'x' }], 2, 0])
  })

  it("has the contract suites for a project's own plug-ins", async () => {
    link('vitest', 'vite')
    writeFileSync(
      join(project, 'own.test.mjs'),
      `import { formatContract } from 'open-iterable/testing'
       formatContract({ id: 'jsonl', name: 'x.jsonl', samples: [{ title: 'a row', rows: [{ a: 1 }] }] })`,
    )
    const { stdout } = await run(process.execPath, [join(MODULES, 'vitest/vitest.mjs'), 'run', '--root', project], {
      cwd: project,
      env: { ...env, NO_COLOR: '1' },
    })
    expect(stdout).toMatch(/Tests +\d+ passed \(\d+\)/)
  })
})

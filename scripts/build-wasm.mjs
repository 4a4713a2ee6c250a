// Compiles the WebAssembly text of the readers to modules that the code imports: `node scripts/build-wasm.mjs`.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

/** Each text, by its path in src/ without `.wat`, and what its module exports. */
const MODULES = {
  'formats/csv/simd/record-index': 'RECORD_INDEX_WASM',
  'formats/jsonl/simd/row-scan': 'ROW_SCAN_WASM',
}
const urlOf = (path, ending) => new URL(`../src/${path}${ending}`, import.meta.url)

/** A module as it must be, from the text beside it. */
export async function renderModule(path = 'formats/csv/simd/record-index') {
  const name = `${basename(path)}.wat`
  const text = readFileSync(urlOf(path, '.wat'), 'utf8')
  const { buffer } = (await wabt()).parseWat(name, text, { simd: true }).toBinary({})
  return `/** ${name}, compiled by scripts/build-wasm.mjs. */\nexport const ${MODULES[path]} =\n  '${Buffer.from(buffer).toString('base64')}'\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const path of Object.keys(MODULES)) writeFileSync(urlOf(path, '-wasm.ts'), await renderModule(path))
}

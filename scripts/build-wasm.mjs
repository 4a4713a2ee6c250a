// Compiles the WebAssembly text of the CSV engine to a module that the code imports: `node scripts/build-wasm.mjs`.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

const folder = new URL('../src/formats/csv/simd/', import.meta.url)

/** The module as it must be, from the text beside it. */
export async function renderModule() {
  const text = readFileSync(new URL('record-index.wat', folder), 'utf8')
  const { buffer } = (await wabt()).parseWat('record-index.wat', text, { simd: true }).toBinary({})
  return `/** record-index.wat, compiled by scripts/build-wasm.mjs. */\nexport const RECORD_INDEX_WASM =\n  '${Buffer.from(buffer).toString('base64')}'\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('record-index-wasm.ts', folder), await renderModule())
}

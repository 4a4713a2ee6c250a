/** The library that is measured, as it was built: `dist/`, or where the environment variable OPEN_ITERABLE_DIST points. */
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'

export const subjectFolder = process.env.OPEN_ITERABLE_DIST
  ? resolve(process.env.OPEN_ITERABLE_DIST)
  : fileURLToPath(new URL('../../dist', import.meta.url))

/** All that the package exports. */
export const loadLibrary = async () => import(pathToFileURL(`${subjectFolder}/index.js`).href)

/**
 * Gives `openIterable` with the modules of a format loaded, as those of the peers are loaded before their clock starts.
 * @param {'csv' | 'jsonl' | 'json'} format
 * @param {{ gzip?: boolean }} [options]
 */
export async function loadSubject(format, { gzip = false } = {}) {
  const { openIterable } = await loadLibrary()
  const text = Buffer.from({ csv: 'a\n1\n', jsonl: '{"a":1}\n', json: '[{"a":1}]' }[format])
  const [content, options] = gzip ? [gzipSync(text), { format, codecs: ['gzip'] }] : [text, { format }]
  for await (const row of openIterable(content, options)) {
    if (String(row.a) !== '1') throw new Error('the library does not read a table of one row')
  }
  return openIterable
}

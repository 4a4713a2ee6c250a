// Converts a folder with a manifest, for tests that kill it. Arguments: source folder, output template.
import { bulkConvert } from '../../dist/index.js'

const [from, to] = process.argv.slice(2)
let done = 0
for await (const { status, error } of bulkConvert(from, to, { resume: true, workers: 0, concurrency: 4 })) {
  if (status === 'failed') throw error
  done++
  if (status === 'converted') process.send?.(done)
}

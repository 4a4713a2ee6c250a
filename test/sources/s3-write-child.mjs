/**
 * Writes an object through the library as a process of its own, for tests that kill it:
 *
 *     node s3-write-child.mjs <folder of the compiled library> <JSON of { location, s3, text, times }>
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [library, task] = [process.argv[2], JSON.parse(process.argv[3])]
const { openS3Sink } = await import(pathToFileURL(join(library, 'sources/s3/sink.js')).href)
const sink = await openS3Sink(task.location, { s3: task.s3 })
for (let i = 0; i < task.times; i++) await sink.write(Buffer.from(task.text))
await sink.close()

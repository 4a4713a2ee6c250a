/**
 * Writes a file through the library as a process of its own, for tests that kill it or limit it:
 *
 *     node write-child.mjs <folder of the compiled library> <JSON of the task>
 *
 * The task is { path, append, line, times, chunkBytes, uid?, killAt?, killHow? }. With `uid` it writes as that user. With `killAt` the process kills itself by SIGKILL at
 * that file system call, counted from 1: `before` it, `after` it, or `during` it, which is while the call is handed to
 * the thread that runs it. At the end it prints { calls } (how many such calls there were, by name) or { code, cause }.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [library, task] = [process.argv[2], JSON.parse(process.argv[3])]
const calls = []
const die = () => process.kill(process.pid, 'SIGKILL')

function watch(object, name) {
  const original = object[name]
  object[name] = function (...args) {
    calls.push(name)
    const chosen = calls.length === task.killAt ? task.killHow : undefined
    if (chosen === 'before') die()
    const result = original.apply(this, args)
    if (chosen === 'during') die()
    return chosen === 'after' ? result.finally(die) : result
  }
}

for (const name of ['open', 'rename', 'unlink', 'copyFile']) watch(fs.promises, name)
const handle = await fs.promises.open(process.execPath)
const prototype = Object.getPrototypeOf(handle)
await handle.close()
calls.length = 0
for (const name of ['write', 'read', 'chmod', 'sync']) watch(prototype, name)
syncBuiltinESMExports()

// Not given to spawn(): the Node that runs may lie where only its owner may run it.
const { openFileSink } = await import(pathToFileURL(join(library, 'sources', 'file-sink.js')).href)
if (task.uid !== undefined) process.setuid(task.uid)
try {
  const sink = await openFileSink(task.path, { append: task.append })
  const bytes = Buffer.from(task.line.repeat(task.times))
  for (let at = 0; at < bytes.length; at += task.chunkBytes) await sink.write(bytes.subarray(at, at + task.chunkBytes))
  await sink.close()
  console.log(JSON.stringify({ calls }))
} catch (error) {
  console.log(JSON.stringify({ code: error.code, cause: error.cause?.code, message: error.message }))
}

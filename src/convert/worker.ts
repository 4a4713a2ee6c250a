/** The thread that converts for `bulkConvert`: one conversion at a time. */
import { parentPort } from 'node:worker_threads'
import { runConversion } from './run.ts'
import { type FromWorker, packError, type ToWorker } from './worker-protocol.ts'

const controllers = new Map<number, AbortController>()
const send = (message: FromWorker) => parentPort?.postMessage(message)

parentPort?.on('message', async (message: ToWorker) => {
  const { id } = message
  if (message.type === 'abort') {
    controllers.get(id)?.abort()
    return
  }
  const controller = new AbortController()
  controllers.set(id, controller)
  try {
    const onProgress = message.wantsProgress
      ? {
          onProgress: (progress: Extract<FromWorker, { type: 'progress' }>['progress']) =>
            send({ type: 'progress', id, progress }),
        }
      : {}
    const result = await runConversion(message.from, message.to, {
      ...message.options,
      ...onProgress,
      signal: controller.signal,
    })
    send({ type: 'done', id, result })
  } catch (error) {
    send({ type: 'failed', id, error: packError(error) })
  } finally {
    controllers.delete(id)
  }
})

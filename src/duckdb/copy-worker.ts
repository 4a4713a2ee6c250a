/**
 * A thread that runs `COPY` over rows which another thread sends: DuckDB asks for rows by a synchronous call, so that the
 * thread that answers must be one that may wait. The statement itself runs on DuckDB's own threads: on one of libuv's it
 * would, while it waits for rows, keep files from being opened, perhaps those that the rows come from.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { DuckDBDataChunk, DuckDBTableFunctionInfo } from '@duckdb/node-api'
import { GIVEN_UP, SENT, type Statement, type WorkerInput, type WorkerMessage } from './copy-protocol.ts'
import { openDuckDb } from './instance.ts'
import type { ChunkData } from './vector-data.ts'
import { fillVector, type NativeWriteBinding } from './vectors-fill.ts'

const LOOK_EVERY_MS = 5
const RESULT_READY = 0
/** Also said of a statement that has ended well: only its result tells. */
const ENDED = 2

const { chunks, shared, settings } = workerData as WorkerInput
const control = new Int32Array(shared)
const parent = parentPort as MessagePort
const lease = await openDuckDb(settings)
const { api, native } = lease.duckdb
const { connection } = lease
const say = (message: WorkerMessage) => parent.postMessage(message)
let taken = 0

/** The next chunk; undefined once the work was given up. Waits. */
function nextChunk(): ChunkData | undefined {
  for (;;) {
    if (Atomics.load(control, GIVEN_UP) !== 0) return undefined
    const received = receiveMessageOnPort(chunks) as { message: ChunkData } | undefined
    if (received !== undefined) {
      taken++
      say({ kind: 'taken' })
      return received.message
    }
    Atomics.wait(control, SENT, taken)
  }
}

function giveRows(info: DuckDBTableFunctionInfo, chunk: DuckDBDataChunk): void {
  try {
    const next = nextChunk()
    if (next === undefined) {
      info.setError('given up')
      return
    }
    chunk.rowCount = next.rowCount
    for (const [i, values] of next.vectors.entries()) {
      const binding = native as NativeWriteBinding
      fillVector(binding, binding.data_chunk_get_vector(chunk.chunk, i), values)
    }
  } catch (error) {
    info.setError(String(error))
  }
}

async function offerRows({ name, types }: NonNullable<Statement['rows']>): Promise<void> {
  const empty = await connection.run(`SELECT ${types.map((type, i) => `NULL::${type} AS c${i}`).join(', ')} LIMIT 0`)
  const native = empty.columnTypes()
  connection.registerTableFunction(
    api.DuckDBTableFunction.create({
      name,
      bindFunction: info => {
        for (const [i, type] of native.entries()) info.addResultColumn(`c${i}`, type)
      },
      initFunction: info => info.setMaxThreads(1),
      mainFunction: giveRows,
    }),
  )
}

/** Runs a statement on DuckDB's threads and looks from time to time whether it has ended. */
async function execute({ sql, rows }: Statement): Promise<number> {
  if (rows !== undefined) await offerRows(rows)
  const prepared = await connection.prepare(sql)
  const pending = prepared.start()
  const stateOf = native as NativeWriteBinding & { pending_execute_check_state(pending: unknown): number }
  const handle = (pending as unknown as { pending_result: unknown }).pending_result
  for (;;) {
    const state = stateOf.pending_execute_check_state(handle)
    if (state === RESULT_READY || state === ENDED) break
    if (Atomics.load(control, GIVEN_UP) !== 0) connection.interrupt()
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS))
  }
  return (await pending.getResult()).rowsChanged
}

parent.on('message', (statement: Statement | null) => {
  if (statement === null) {
    chunks.close()
    parent.close()
    lease[Symbol.asyncDispose]()
    return
  }
  execute(statement).then(
    rowCount => say({ kind: 'done', rowCount }),
    error => say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  )
})

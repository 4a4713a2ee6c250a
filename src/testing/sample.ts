/** Bytes for the contract suites: the same in every run. */

/** `length` bytes that no codec can make much smaller. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed >>> 0 || 1
  for (let i = 0; i < length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state & 0xff
  }
  return bytes
}

/** About `length` bytes of table-like text, as real input is. */
export function table(length: number): Buffer {
  const lines: string[] = ['id,name,value\n']
  let bytes = lines[0]!.length
  for (let i = 0; bytes < length; i++) {
    const line = `${i},name ${(i * 7919) % 997},${Math.round(Math.sin(i) * 1e6)}\n`
    lines.push(line)
    bytes += line.length
  }
  return Buffer.from(lines.join(''))
}

/** What an iteration gave before it ended or failed. */
export interface Drained {
  readonly bytes: Buffer
  readonly chunks: number
  readonly error: unknown
  readonly failed: boolean
}

/** Reads to the end or to the failure; copies each chunk, as chunks are only lent. */
export async function drain(stream: () => AsyncIterable<Uint8Array>): Promise<Drained> {
  const parts: Buffer[] = []
  try {
    for await (const chunk of stream()) parts.push(Buffer.from(chunk))
  } catch (error) {
    return { bytes: Buffer.concat(parts), chunks: parts.length, error, failed: true }
  }
  return { bytes: Buffer.concat(parts), chunks: parts.length, error: undefined, failed: false }
}

/** Lets what is ready to run do so: read-ahead lands, queued callbacks are called. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>(resolve => setImmediate(resolve))
}

/** The code of an error of this library. */
export const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null | undefined)?.code

/** Sources, sinks and texts for the tests of the encodings. */
import iconv from 'iconv-lite'
import { decodeText, encodeText } from '../../src/core/encoding.ts'
import type { Abortable, ByteSink, ByteSource } from '../../src/core/types.ts'
import { type Drained, drain } from '../../src/testing/sample.ts'

/** Texts of characters that the encoding has, ASCII and line ends among them. */
export const TEXTS: Readonly<Record<string, string>> = {
  'utf-16le': 'id,名前\n1,Zoë\n2,😀🎉\n3,\u0000\uffff\ue000\n',
  'utf-16be': 'id,名前\n1,Zoë\n2,😀🎉\n3,\u0000\uffff\ue000\n',
  'windows-1250': 'id,jméno\n1,Łukasz Žižka\n2,€ „ž”\n',
  'windows-1251': 'id,имя\n1,Ёлка №5\n2,€ «да»\n',
  'windows-1252': 'id,name\n1,Zoë “Ÿ”\n2,€ – ™\n',
  'windows-1253': 'id,όνομα\n1,Άγγελος\n2,€\n',
  'windows-1254': 'id,ad\n1,Işık Ğ\n2,€\n',
  'windows-1255': 'id,שם\n1,אבג ₪\n2,\u05ba\n',
  'windows-1256': 'id,اسم\n1,پچژ\n2,€\n',
  'windows-1257': 'id,vārds\n1,Žąsų\n2,€\n',
  'windows-1258': 'id,tên\n1,Đăng ₫\n2,€\n',
  'windows-874': 'id,ชื่อ\n1,สมชาย\n2,€\n',
  'iso-8859-2': 'id,jméno\n1,Łukasz\n',
  'iso-8859-3': 'id,nomo\n1,ĉĝĥĵŝŭ\n',
  'iso-8859-4': 'id,vārds\n1,ķļņ\n',
  'iso-8859-5': 'id,имя\n1,Ёлка №5\n',
  'iso-8859-6': 'id,اسم\n1,محمد\n',
  'iso-8859-7': 'id,όνομα\n1,Άγγελος €\n',
  'iso-8859-8': 'id,שם\n1,אבג\n',
  'iso-8859-10': 'id,namn\n1,Áđđá Ŧ\n',
  'iso-8859-13': 'id,vārds\n1,Žąsų\n',
  'iso-8859-14': 'id,enw\n1,Ŵŷ Ḃ\n',
  'iso-8859-15': 'id,nom\n1,Œuvre Ÿ €\n',
  'koi8-r': 'id,имя\n1,Ёлка ╬\n',
  'koi8-u': "id,ім'я\n1,Їжак Ґ\n",
  ibm866: 'id,имя\n1,Ёлка ╬\n',
  macintosh: 'id,name\n1,Zoë ™ ∞\n',
  'x-mac-cyrillic': 'id,имя\n1,Ёлка №5\n',
  shift_jis: 'id,名前\n1,山田ソ表\n2,ｶﾅ\n',
  'euc-jp': 'id,名前\n1,山田ソ表\n2,ｶﾅ 丂\n',
  gbk: 'id,姓名\n1,張三 镕\n2,€\n',
  gb18030: 'id,姓名\n1,張三 镕\n2,€ 😀 Zoë ㎥ ᠠ\n',
  big5: 'id,姓名\n1,許功蓋\n2,香港㗎 𠝹\n',
  'euc-kr': 'id,이름\n1,김똠방각하\n2,햏 샾\n',
}

export const NAMES = Object.keys(TEXTS)
/** What iconv-lite calls it. */
export const iconvName = (name: string) => (name === 'x-mac-cyrillic' ? 'maccyrillic' : name)
export const isWide = (name: string) => name.startsWith('utf-16')

/** The text in the encoding, by another implementation. */
export function reference(text: string, name: string): Buffer {
  const known = iconvName(name)
  const bytes = iconv.encode(text, known)
  if (iconv.decode(bytes, known, { stripBOM: false }) !== text) throw new Error(`${name} lacks a character of ${text}`)
  return bytes
}

export const CHUNK_SIZES = [1, 2, 3, 7, 65536]

/** A source of the bytes, in chunks that are overwritten when the next one is asked for. */
export function sourceOf(bytes: Uint8Array, chunkBytes = 65536, replayable = true): ByteSource & { disposals: number } {
  let used = false
  return {
    label: 'x.csv',
    replayable,
    disposals: 0,
    async *stream({ signal }: Abortable = {}) {
      if (used && !replayable) throw Object.assign(new Error('read twice'), { code: 'NOT_REPLAYABLE' })
      used = true
      const lent = Buffer.alloc(Math.min(chunkBytes, Math.max(bytes.length, 1)))
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        signal?.throwIfAborted()
        const part = bytes.subarray(at, at + chunkBytes)
        lent.set(part)
        yield lent.subarray(0, part.length)
        lent.fill(0xff)
      }
    },
    async [Symbol.asyncDispose]() {
      this.disposals++
    },
  }
}

/** A source of exactly these chunks. */
export function sourceOfChunks(chunks: readonly Uint8Array[]): ByteSource {
  return {
    label: 'x.csv',
    replayable: true,
    async *stream() {
      yield* chunks
    },
    async [Symbol.asyncDispose]() {},
  }
}

export function read(
  bytes: Uint8Array,
  encoding: string,
  options: { readonly chunkBytes?: number; readonly onInvalid?: 'raise' | 'replace' } = {},
): Promise<Drained> {
  const { chunkBytes, onInvalid = 'raise' } = options
  return drain(() => decodeText(sourceOf(bytes, chunkBytes), { encoding, onInvalid }).stream())
}

/** A sink in memory that publishes on close. */
export class MemorySink implements ByteSink {
  readonly label = 'x.csv'
  readonly chunks: Buffer[] = []
  readonly calls: string[] = []
  content: Buffer | undefined
  closed = false
  aborted: { readonly reason: unknown } | undefined

  async write(chunk: Uint8Array): Promise<void> {
    if (this.aborted !== undefined) throw new Error('aborted')
    this.chunks.push(Buffer.from(chunk))
  }

  async close(): Promise<void> {
    if (this.aborted !== undefined) throw new Error('aborted')
    if (!this.closed) this.calls.push('close')
    this.closed = true
    this.content = Buffer.concat(this.chunks)
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.closed || this.aborted !== undefined) return
    this.calls.push('abort')
    this.aborted = { reason }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort()
    this.calls.push('dispose')
  }
}

/** Writes the UTF-8 in chunks whose memory is overwritten after each write, and gives what arrived. */
export async function write(
  utf8: Uint8Array | string,
  encoding: string,
  options: { readonly chunkBytes?: number; readonly bom?: boolean; readonly onUnmappable?: 'raise' | 'replace' } = {},
): Promise<Buffer> {
  const { chunkBytes = 65536, bom, onUnmappable = 'raise' } = options
  const bytes = Buffer.from(utf8)
  const inner = new MemorySink()
  await using sink = encodeText(inner, { encoding, onUnmappable, bom })
  const lent = Buffer.alloc(Math.min(chunkBytes, Math.max(bytes.length, 1)))
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes)
    lent.set(part)
    await sink.write(lent.subarray(0, part.length))
    lent.fill(0xff)
  }
  await sink.close()
  return inner.content!
}

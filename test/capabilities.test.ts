/** What capabilities() says is what there is. */
import { describe, expect, it } from 'vitest'
import {
  capabilities,
  MemoryTarget,
  openIterable,
  registerCodec,
  registerFormat,
  registerSource,
} from '../src/index.ts'
import { findCodec, findFormat } from '../src/registry.ts'

describe('capabilities', () => {
  it('tells of each format what its code can do', async () => {
    const { formats } = capabilities()
    expect(formats.map(({ id }) => id)).toContain('csv')
    for (const { id, reads, writes, installed, extensions } of formats) {
      expect(extensions.length).toBeGreaterThan(0)
      if (!installed) continue
      const format = await findFormat(id)!.load()
      expect([id, format.openReader !== undefined, format.openWriter !== undefined]).toEqual([id, reads, writes])
    }
  })

  it('tells of each codec what comes out of it', async () => {
    const bytes = Buffer.from('some,bytes\n'.repeat(100))
    for (const { id, reads, writes, installed } of capabilities().codecs) {
      if (!installed || !reads || !writes) continue
      const codec = await findCodec(id)!.load()
      expect([id, typeof codec.decode, typeof codec.encode]).toEqual([id, 'function', 'function'])
      const target = new MemoryTarget('x.jsonl')
      const out = openIterable(target, { mode: 'w', codecs: [id] })
      await out.write({ text: bytes.toString() })
      await out.close()
      expect(await openIterable(target, { codecs: [id] }).readBulk()).toEqual([{ text: bytes.toString() }])
    }
  })

  it('is data that can be printed', () => {
    expect(JSON.parse(JSON.stringify(capabilities()))).toMatchObject({ sources: expect.any(Array) })
  })
})

describe('registering', () => {
  const format = {
    title: 'x',
    reads: true,
    writes: false,
    needs: 'stream' as const,
    load: () => findFormat('csv')!.load(),
  }

  it('adds a format, a codec and a place, which then work by name', async () => {
    registerFormat({ ...format, id: 'semicolons', extensions: { scsv: { delimiter: ';' } } })
    registerCodec({
      id: 'same',
      title: 'x',
      extensions: ['same'],
      reads: true,
      writes: false,
      load: () => findCodec('gzip')!.load(),
    })
    expect(await openIterable({ text: 'a;b\n1;2\n', name: 'x.scsv' }).read()).toEqual({ a: '1', b: '2' })
    expect(openIterable('x.scsv.same').codecs).toEqual(['same'])
    await expect(openIterable(new MemoryTarget('x.scsv'), { mode: 'w' }).close()).rejects.toMatchObject({
      code: 'FORMAT_UNSUPPORTED',
    })
    expect(capabilities().formats.map(({ id }) => id)).toContain('semicolons')
  })

  it('refuses what is not whole and what takes a name that is taken', () => {
    expect(() => registerFormat({ ...format, id: 'csv', extensions: {} })).toThrow(/PLUGIN_INVALID.*belongs to csv/)
    expect(() => registerFormat({ ...format, id: 'other', extensions: { tsv: {} } })).toThrow(/tsv belongs to csv/)
    expect(() => registerFormat({ ...format, id: 'No Name', extensions: {} })).toThrow(/PLUGIN_INVALID/)
    expect(() => registerCodec({ id: 'x', title: 'x', extensions: [], reads: true, writes: true } as never)).toThrow(
      /no load/,
    )
    expect(() => registerSource({ id: 'x', load: async () => ({}) } as never)).toThrow(/no accepts/)
  })
})

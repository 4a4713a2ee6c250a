/** The rules of the handle that writes, which hold for every format: publishing, order, failures. */
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import type { Row } from '../core/types.ts'
import { openIterable } from '../index.ts'
import { type HandleSubject, rejectionOf, tick } from './handle-subject.ts'
import { Probe } from './probe.ts'

/**
 * Declares the tests of the handle that writes: publishing whole or not at all, order of calls, failures, and
 * cancelling.
 */
export function writerContract({ name, row, text }: HandleSubject): void {
  const rows = (count: number, from = 0) => Array.from({ length: count }, (_, i) => row(from + i))
  const writing = (probe: Probe) => openIterable(probe, { mode: 'w' })

  describe(`writer of ${name}`, () => {
    it('does nothing until it is used', async () => {
      const probe = new Probe(name)
      const handle = writing(probe)
      await handle[Symbol.asyncDispose]()
      expect([probe.opened, probe.ending]).toEqual([0, 'none'])
      expect('then' in (await writing(new Probe(name)))).toBe(false)
    })

    it('writes the same by every kind of sequence', async () => {
      const all = rows(700)
      const sequences: Record<string, () => Parameters<ReturnType<typeof writing>['writeBulk']>[0]> = {
        array: () => all,
        set: () => new Set(all),
        generator: () =>
          (function* () {
            yield* all
          })(),
        'async generator': () =>
          (async function* () {
            yield* all
          })(),
        reader: () => openIterable(new Probe(name, text(700))),
        batches: () => openIterable(new Probe(name, text(700))).batches(33),
        'Node stream': () => openIterable(new Probe(name, text(700))).toReadable(),
      }
      for (const [kind, sequence] of Object.entries(sequences)) {
        const probe = new Probe(name)
        const handle = writing(probe)
        expect([kind, await handle.writeBulk(sequence())]).toEqual([kind, 700])
        await handle.close()
        expect(probe.text).toBe(text(700))
        expect([handle.rowsWritten, handle.bytesWritten]).toEqual([700, Buffer.byteLength(text(700))])
      }
      const probe = new Probe(name)
      const handle = writing(probe)
      for (const one of all) await handle.write(one)
      await handle.close()
      expect(probe.text).toBe(text(700))
    })

    it('carries out concurrent calls in order, and takes rows as they are when the call settles', async () => {
      const probe = new Probe(name)
      const handle = writing(probe)
      const reused: Row = { ...row(0) }
      await handle.write(reused)
      Object.assign(reused, row(999))
      await Promise.all([
        handle.writeBulk(rows(300, 1)),
        handle.write(row(301)),
        handle.writeBulk(rows(10, 302)),
        handle.close(),
      ])
      expect(probe.text).toBe(text(312))
    })

    it('publishes by close only, once', async () => {
      const probe = new Probe(name)
      const handle = writing(probe)
      await handle.writeBulk(rows(10))
      expect(probe.ending).toBe('none')
      await Promise.all([handle.close(), handle.close()])
      await handle[Symbol.asyncDispose]()
      await handle.abort()
      expect([probe.ending, probe.endings]).toEqual(['published', 1])
      expect(await rejectionOf(handle.write(row(0)))).toBe('HANDLE_CLOSED')
    })

    it('publishes an output without rows when it is closed without any', async () => {
      const probe = new Probe(name)
      await writing(probe).close()
      expect(probe.ending).toBe('published')
    })

    it("publishes nothing when the user's code throws, and does not hide what it threw", async () => {
      const probe = new Probe(name)
      const warned = once(process, 'warning')
      await expect(
        (async () => {
          await using out = writing(probe)
          await out.writeBulk(rows(10))
          throw new Error('mine')
        })(),
      ).rejects.toThrow('mine')
      expect([probe.ending, probe.endings]).toEqual(['aborted', 1])
      expect((await warned)[0]).toMatchObject({ code: 'OUTPUT_DISCARDED' })
    })

    it('publishes nothing after a failure of the sequence, of the place, or of an abort', async () => {
      const mine = new Error('mine')
      const ways: Record<string, (probe: Probe, out: ReturnType<typeof writing>) => Promise<unknown>> = {
        sequence: (_probe, out) =>
          out.writeBulk(
            (async function* () {
              yield* rows(300)
              throw mine
            })(),
          ),
        place: async (probe, out) => {
          probe.failWrite = mine
          await out.writeBulk(rows(100_000))
        },
        abort: async (_probe, out) => {
          await out.write(row(0))
          await out.abort(mine)
          await out.write(row(1))
        },
        signal: (_probe, out) => out.writeBulk(rows(10), { signal: AbortSignal.abort(mine) }),
      }
      for (const [way, run] of Object.entries(ways)) {
        const probe = new Probe(name)
        const out = writing(probe)
        await out
        expect([way, await rejectionOf(run(probe, out))]).toEqual([way, mine])
        const closing = await out.close().then(
          () => undefined,
          error => error,
        )
        if (way === 'abort' || way === 'signal')
          expect(closing.code ?? closing).toSatisfy(found => found === mine || found === 'WRITER_FAILED')
        else expect(closing).toMatchObject({ code: 'WRITER_FAILED', cause: mine })
        await out[Symbol.asyncDispose]()
        expect([way, probe.ending, probe.endings]).toEqual([way, 'aborted', 1])
      }
    })

    it('rejects what waits with the very reason of the abort, also while the place takes nothing', async () => {
      const reason = { any: 'value' }
      const probe = Object.assign(new Probe(name), { stallWrite: true })
      const controller = new AbortController()
      const out = openIterable(probe, { mode: 'w', signal: controller.signal })
      const outcome = rejectionOf(out.writeBulk(rows(200_000)))
      await tick()
      controller.abort(reason)
      expect(await outcome).toBe(reason)
      expect(probe.ending).toBe('aborted')
    })

    it('lets go of what arrives after an abort while opening', async () => {
      const probe = new Probe(name)
      let admit = () => {}
      probe.opening = new Promise(resolve => {
        admit = resolve
      })
      const out = writing(probe)
      const outcome = rejectionOf(out.write(row(0)))
      await tick()
      const ending = out.abort('enough')
      expect(await outcome).toBe('enough')
      admit()
      await ending
      expect([probe.opened, probe.ending]).toEqual([1, 'aborted'])
    })

    it('is the end of a pipe of rows', async () => {
      const probe = new Probe(name)
      await pipeline(openIterable(new Probe(name, text(700))).toReadable(), writing(probe).toWritable())
      expect([probe.text, probe.ending]).toEqual([text(700), 'published'])

      const web = new Probe(name)
      await openIterable(new Probe(name, text(700)))
        .toWeb()
        .pipeTo(writing(web).toWeb())
      expect([web.text, web.ending]).toEqual([text(700), 'published'])

      const broken = new Error('broken')
      const failed = new Probe(name)
      const source = Object.assign(new Probe(name, text(700)), { failAt: { chunk: 2, error: broken } })
      await expect(pipeline(openIterable(source).toReadable(), writing(failed).toWritable())).rejects.toBe(broken)
      expect(failed.ending).not.toBe('published')
    })
  })
}

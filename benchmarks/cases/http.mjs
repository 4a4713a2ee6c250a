/** Reading from a URL: a large file against fetch itself, and many small ones that each answer late. */
import { drain, runRemote, smallFileVariants } from '../lib/remote.mjs'
import { moduleOf } from '../lib/servers.mjs'

/** @type {Record<string, (input: { endpoint: string, prove?: boolean }, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  async 'fetch drain'(input) {
    const response = await fetch(`${input.endpoint}/large.csv`)
    return drain(response.body, input)
  },

  async 'open-iterable stream'(input, clock) {
    const { openHttpSource } = await import(moduleOf('http source'))
    clock.start()
    const source = await openHttpSource(`${input.endpoint}/large.csv`)
    const counts = await drain(source.stream(), input)
    await source[Symbol.asyncDispose]()
    return counts
  },

  ...smallFileVariants(({ endpoint }, name) => [`${endpoint}/${name}`]),
}

export const run = context =>
  runRemote(context, { kind: 'http', drained: 'fetch drain', inputOf: ({ endpoint }) => ({ endpoint }) })

/** Reading from S3: a large object against the SDK's own stream, and many small ones that each answer late. */
import { drain, runRemote, smallFileVariants } from '../lib/remote.mjs'
import { moduleOf } from '../lib/servers.mjs'

/** @type {Record<string, (input: { clientOptions: object, prove?: boolean }, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  async 'GetObject drain'(input, clock) {
    const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
    clock.start()
    const client = new S3Client(input.clientOptions)
    const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bench', Key: 'large.csv' }))
    const counts = await drain(Body, input)
    client.destroy()
    return counts
  },

  async 'open-iterable stream'(input, clock) {
    await import('@aws-sdk/client-s3')
    const { openS3Source } = await import(moduleOf('s3 source'))
    clock.start()
    const source = await openS3Source({ bucket: 'bench', key: 'large.csv' }, { s3: input.clientOptions })
    const counts = await drain(source.stream(), input)
    await source[Symbol.asyncDispose]()
    return counts
  },

  ...smallFileVariants(({ clientOptions }, name) => [`s3://bench/${name}`, { s3: clientOptions }]),
}

export const run = context =>
  runRemote(context, {
    kind: 's3',
    drained: 'GetObject drain',
    inputOf: ({ clientOptions }) => ({ clientOptions }),
  })

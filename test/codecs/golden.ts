/** Files of fixtures/codecs, which the original commands have written. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CODEC_SAMPLES, type CodecReference } from '../../src/testing/codec-samples.ts'

const FOLDER = resolve(import.meta.dirname, '../../fixtures/codecs')

export const golden = (name: string): Buffer => readFileSync(join(FOLDER, name))
export const goldenNames = (folder: string): string[] => readdirSync(join(FOLDER, folder)).sort()

/** A reference for a codec that is only read: it knows the samples of the contract, as the command has written them. */
export function goldenReference(folder: string, extension: string): CodecReference {
  const samples = Object.entries(CODEC_SAMPLES)
  return {
    encode(bytes) {
      const name = samples.find(([, sample]) => sample.equals(bytes))?.[0]
      if (name === undefined) throw new Error(`no file holds these ${bytes.length} bytes`)
      return golden(`${folder}/${name}.${extension}`)
    },
    decode() {
      throw new Error('a codec that is only read needs no other decoder')
    },
  }
}

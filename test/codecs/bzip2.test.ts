import { codec } from '../../src/codecs/bzip2.ts'
import { codecContract } from '../../src/testing/codec.ts'
import { goldenReference } from './golden.ts'

codecContract('bzip2', codec, goldenReference('bzip2', 'bz2'), { members: true, checksummed: true, writes: false })

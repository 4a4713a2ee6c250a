import { codec } from '../../src/codecs/xz.ts'
import { codecContract } from '../../src/testing/codec.ts'
import { goldenReference } from './golden.ts'

codecContract('xz', codec, goldenReference('xz', 'xz'), { members: true, checksummed: true, writes: false })

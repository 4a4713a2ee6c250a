import { codec } from '../../src/codecs/bzip2.ts'
import { codecContract } from '../contracts/codec.ts'
import { goldenReference } from './golden.ts'

codecContract('bzip2', codec, goldenReference('bzip2', 'bz2'), { members: true, checksummed: true, writes: false })

// Nothing that is optional is installed here: each says what to install.
import { MemoryTarget, openIterable } from 'open-iterable'

const told = async (rows, find) => {
  try {
    await rows()
    console.log(`${find}: opened`)
  } catch (error) {
    console.log(`${find}: ${error.code}: ${/npm install \S+/.exec(error.message)?.[0]}`)
  }
}
await told(() => openIterable(new MemoryTarget('x.parquet', 'PAR1….PAR1')).read(), 'parquet')
await told(() => openIterable('s3://bucket/x.csv').read(), 's3')
await told(() => openIterable('postgres://localhost/x', { table: 'x' }).read(), 'postgres')
await told(() => openIterable({ text: 'a\n', name: 'x.csv' }, { encoding: 'big5' }).read(), 'big5')

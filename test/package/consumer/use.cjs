// A project of CommonJS: require() of the ES modules, which no top-level await may prevent.
const assert = require('node:assert/strict')
const { openIterable } = require('open-iterable')
const { Semaphore } = require('open-iterable/resilience')
const { recordTelemetry } = require('open-iterable/telemetry')
const { version } = require('open-iterable/package.json')

assert.equal(typeof Semaphore, 'function')
assert.equal(typeof recordTelemetry, 'function')
openIterable({ text: 'a\n1\n', name: 'x.csv' })
  .readBulk()
  .then(rows => {
    assert.deepEqual(rows, [{ a: '1' }])
    console.log(`required ${version}`)
  })

// `node --import <this>`: on exit prints the URLs of all modules that were loaded from files, as JSON.
import { register } from 'node:module'
import { MessageChannel } from 'node:worker_threads'

const { port1, port2 } = new MessageChannel()
const urls = []
port1.on('message', url => urls.push(url))
port1.unref()
register(
  `data:text/javascript,${encodeURIComponent(`
    let port
    export const initialize = data => { port = data.port }
    export const load = (url, context, next) => { port.postMessage(url); return next(url, context) }`)}`,
  { data: { port: port2 }, transferList: [port2] },
)
process.on('beforeExit', () => console.log(JSON.stringify(urls.filter(url => url.startsWith('file:')))))

// `node --import <this>`: on exit prints the URLs of all modules that were loaded from files, as JSON.
import { register } from 'node:module'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

const { port1, port2 } = new MessageChannel()
register(
  `data:text/javascript,${encodeURIComponent(`
    let port
    export const initialize = data => { port = data.port }
    export const load = (url, context, next) => { port.postMessage(url); return next(url, context) }`)}`,
  { data: { port: port2 }, transferList: [port2] },
)
process.on('beforeExit', () => {
  const urls = []
  for (let received; (received = receiveMessageOnPort(port1)) !== undefined; ) urls.push(received.message)
  console.log(JSON.stringify(urls.filter(url => url.startsWith('file:'))))
})

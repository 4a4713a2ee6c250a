declare module 'lz4js' {
  export function compress(bytes: Uint8Array): Uint8Array
  export function decompress(bytes: Uint8Array): Uint8Array
}
declare module 'lz4js/xxh32.js' {
  export function hash(seed: number, bytes: Uint8Array, start: number, length: number): number
}
declare module 'snappyjs' {
  export function compress(bytes: Uint8Array): Uint8Array
  export function uncompress(bytes: Uint8Array): Uint8Array
}

/**
 * Where the code of the writing thread is: always the built one, as threads are started from JavaScript. The build puts
 * the path right for where it stands in `dist/`.
 */
export const copyWorkerUrl = (): URL => new URL('../../dist/duckdb/copy-worker.js', import.meta.url)

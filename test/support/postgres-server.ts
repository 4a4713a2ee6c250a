/** The PostgreSQL that tests run against. It is written in JavaScript, because benchmarks start the same one. */
export { type PostgresServer, startPostgres } from './postgres-server.mjs'

/** What the cases of Postgres share. */
import { commandVersion } from './peers.mjs'

/** A connected client of the driver. */
export async function connect(url) {
  const { default: pg } = await import('pg')
  const client = new pg.Client(url)
  await client.connect()
  return client
}

/** @param {import('./report.mjs').Report} report is told where it is not there */
export function hasPsql(report) {
  const isThere = commandVersion('psql') !== undefined
  if (!isThere) report.note('  psql is not installed: nothing to compare COPY with')
  return isThere
}

/** What a CSV file says to rows that are to be appended to it. */
import { createError } from '../../core/errors.ts'
import { lastByte } from '../../core/last-byte.ts'
import type { ByteSource, ExistingRows, ReadContext } from '../../core/types.ts'
import type { CsvReadOptions } from './read-options.ts'
import { openCsvReader } from './reader.ts'
import { type CsvWriteOptions, resolveCsvWriteOptions } from './write-options.ts'

/**
 * Reads the file once, as rows appended after a quote that is not closed would become part of that field. Records that
 * are merely ragged are nobody's business here. Gives the columns, and a line end where the last record lacks one.
 */
export async function inspectCsv(
  source: ByteSource,
  options: CsvWriteOptions,
  context: ReadContext,
): Promise<ExistingRows> {
  const { delimiter, quote, escape, recordDelimiter, header } = resolveCsvWriteOptions(options)
  const dialect: CsvReadOptions = {
    delimiter,
    quote,
    escape: quote === null ? null : escape,
    header,
    relax: true,
    recordDelimiter: isLineEnd(recordDelimiter) ? undefined : recordDelimiter,
  }
  const reader = await openCsvReader(borrowed(source), dialect, {
    ...context,
    onBadRecord: error => {
      if ((error as { code?: unknown }).code !== 'CSV_QUOTE_NOT_CLOSED') return
      throw createError('CSV_QUOTE_NOT_CLOSED', 'the file to append to ends inside a quoted field', {
        label: context.label,
        cause: error,
        hint: 'mend its last record first: rows appended to it would become part of that field',
      })
    },
  })
  try {
    while ((await reader.read()) !== null);
    const columns = header ? reader.columns : undefined
    const ended = [0x0a, 0x0d].includes((await lastByte(source, context)) ?? 0x0a)
    return { columns, ...(ended ? {} : { prefix: Buffer.from(recordDelimiter) }) }
  } finally {
    await reader[Symbol.asyncDispose]()
  }
}

const isLineEnd = (text: string) => text === '\n' || text === '\r\n' || text === '\r'

/** The same source, but disposing it is left to its owner. */
function borrowed(source: ByteSource): ByteSource {
  return {
    label: source.label,
    replayable: source.replayable,
    stream: options => source.stream(options),
    async [Symbol.asyncDispose]() {},
  }
}

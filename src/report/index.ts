/** Things to look at: a profile as a page, rows as a table. The work is loaded when it is called. */
import type { Profile } from '../profile/types.ts'
import type { ReportOptions, TableOptions } from './options.ts'

/**
 * A profile as one HTML page that stands for itself: it loads nothing, its content security policy forbids it to, and all
 * that comes from the data is escaped.
 *
 * ```ts
 * await writeFile('report.html', await toHtmlReport(await profile('people.csv')))
 * ```
 *
 * @throws OPTION_INVALID and OPTION_UNKNOWN.
 */
export async function toHtmlReport(profile: Profile, options: ReportOptions = {}): Promise<string> {
  const { renderReport } = await import('./page.ts')
  return renderReport(profile, options)
}

/**
 * Rows as an HTML `<table>`, without styles. All that comes from the rows is escaped; a null is an empty cell.
 *
 * ```ts
 * await toHTML(openIterable('people.csv'), { maxRows: 20 })
 * ```
 *
 * @param rows A reader, or any iterable of rows: objects, or arrays, whose columns are then `column_1` and so on.
 */
export async function toHTML(
  rows: Iterable<object> | AsyncIterable<object>,
  options: TableOptions = {},
): Promise<string> {
  const { renderHtmlTable } = await import('./table.ts')
  return renderHtmlTable(rows, options)
}

/**
 * Rows as a table of GitHub-flavored Markdown, numbers to the right. What Markdown or HTML would make something of is
 * escaped, and a line feed is `<br>`.
 *
 * @param rows As of `toHTML`.
 * @see https://github.github.com/gfm/#tables-extension-
 */
export async function toMarkdown(
  rows: Iterable<object> | AsyncIterable<object>,
  options: TableOptions = {},
): Promise<string> {
  const { renderMarkdownTable } = await import('./table.ts')
  return renderMarkdownTable(rows, options)
}

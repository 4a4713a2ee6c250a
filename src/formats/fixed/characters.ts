/** Text by characters: a column has so many of them. */

/** Lines, or rows, over which columns are found where nobody gives them. */
export const SAMPLE = 1000

/** The characters of a line: the text itself where each is one UTF-16 unit. Both have `length` and `slice`. */
export const charactersOf = (text: string): string | string[] =>
  /[\ud800-\udfff]/.test(text) ? Array.from(text) : text
export const textOf = (characters: string | string[]): string =>
  typeof characters === 'string' ? characters : characters.join('')
/** Without the blanks around it. Other white space is text. */
export const trimmed = (text: string): string => text.replace(/^ +| +$/g, '')

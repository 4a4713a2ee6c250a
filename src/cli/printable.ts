/** Text for a terminal, which obeys some characters: what stands in data, names and messages must not reach it as it is. */

const ESCAPES: Record<string, string> = { '\n': '⏎', '\r': '␍', '\t': '⇥' }

/** Text without control characters. */
export const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    c => ESCAPES[c] ?? (c === '\u200d' ? c : `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`),
  )

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
/** Two of them are one flag. */
const FLAG_LETTER = /\p{Regional_Indicator}/u
const NONE = /^(?:\p{Mn}|\p{Me}|\p{Cf})$/u

/** Columns of the terminal that a text takes, by the East Asian Width of its characters (Unicode UAX #11). */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) width += widthOfCharacter(character)
  return width
}

function widthOfCharacter(character: string): number {
  if (NONE.test(character)) return 0
  return WIDE.test(character) && !FLAG_LETTER.test(character) ? 2 : 1
}

/** As much of a text as fits, with … where there is more. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    const more = widthOfCharacter(character)
    if (used + more > width - 1) break
    kept += character
    used += more
  }
  return `${kept}…`
}

/** Text that comes from data, made harmless. */

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/**
 * For the content of an element, and for an attribute in quotes; nowhere else. Control characters, which HTML does not
 * allow even as references, and marks that turn the direction of text around are shown as `\u…`.
 */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"'`]/g, character => ENTITIES[character]!)
}

/** Text in which nothing is hidden. Line feeds and tabs stay. */
export const visible = (text: string): string =>
  text.toWellFormed().replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

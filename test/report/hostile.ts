/** Rows and names that would be markup, script, styles, links or terminal codes if they were not taken for text. */
export const HOSTILE: readonly string[] = [
  '<script>document.title="hacked"</script>',
  '</script><script>document.title="hacked"</script>',
  '</style><img src=x onerror=document.title="hacked">',
  '"><svg onload=document.title="hacked">',
  "' onmouseover='document.title=\"hacked\"' x='",
  '` onfocus=document.title="hacked" autofocus `',
  '<!-- --><iframe srcdoc="<script>parent.document.title=1</script>">',
  'javascript:document.title="hacked"',
  '</title><base href="https://example.com/">',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=document.title="hacked">',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '<a href="https://example.com/">link</a>',
  '<link rel=stylesheet href=https://example.com/x.css>',
  '<meta http-equiv=refresh content="0;url=https://example.com/">',
  ']]><![CDATA[<b>',
  '<svg><title><b>x</b></title></svg>',
  '\u202eetirw\u2066\u0007\u001b[31mred',
  '{{constructor.constructor("document.title=1")()}}',
  '<plaintext>',
  '<textarea><select><template>',
]

/** A column for each text, that has it as its name, and all the texts as its values. */
export const hostileRows = (): Record<string, unknown>[] =>
  HOSTILE.flatMap((_, r) =>
    [0, 1].map(() => Object.fromEntries(HOSTILE.map((name, c) => [name, HOSTILE[(r + c) % HOSTILE.length]]))),
  )

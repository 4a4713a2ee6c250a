/** The snippets of TypeScript in a Markdown file, which tests compile and run. */
export interface Snippet {
  /** Line of the file that the code begins at. */
  readonly line: number
  readonly code: string
  /** Not so for ```` ```ts compile ````: what needs more than a test has. */
  readonly runs: boolean
}

export function snippetsOf(markdown: string): readonly Snippet[] {
  return [...markdown.matchAll(/^```ts( compile)?\n([\s\S]*?)^```/gm)].map(match => ({
    line: markdown.slice(0, match.index).split('\n').length + 1,
    code: match[2]!,
    runs: match[1] === undefined,
  }))
}

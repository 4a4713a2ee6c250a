/**
 * For TypeDoc (typedoc.json). `ReadOptions` and `WriteOptions` have the options of all formats: those that several have
 * (`columns`, `types`, `bigint`) bear the comment of each of these, of which TypeDoc takes the first and warns of the others.
 */
export function load({ logger }) {
  for (const level of ['warn', 'info']) {
    const tell = logger[level].bind(logger)
    logger[level] = (text, ...place) => {
      if (!/has multiple declarations with a comment|^The comments for \S+ are declared at/.test(text))
        tell(text, ...place)
    }
  }
}

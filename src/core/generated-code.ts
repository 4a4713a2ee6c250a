/** Functions that are generated for the columns at hand: their object literal gives each row its hidden class from birth. */

let allowed: boolean | undefined

/** Whether code may be made from strings; `--disallow-code-generation-from-strings` forbids it. */
export function mayGenerateCode(): boolean {
  if (allowed === undefined) {
    try {
      new Function('')
      allowed = true
    } catch (error) {
      if (!(error instanceof EvalError)) throw error
      allowed = false
    }
  }
  return allowed
}

/** A key of an object literal. A plain `"__proto__"` would set the prototype; a computed one is data like any other. */
export function literalKey(name: string): string {
  const key = JSON.stringify(name)
  return name === '__proto__' ? `[${key}]` : key
}

/** How many functions of a kind are kept. Files with ever new columns must not fill the memory. */
const MAX_KEPT = 100

/** Generated functions of one kind, kept by what their code depends on: compiling costs some 160 µs. */
export class GeneratedFunctions<F> {
  readonly #parameters: readonly string[]
  readonly #kept = new Map<string, F>()

  constructor(...parameters: readonly string[]) {
    this.#parameters = parameters
  }

  /** The function of the body that `body` gives; `null` where Node forbids code from strings. */
  get(id: string, body: () => string): F | null {
    const known = this.#kept.get(id)
    if (known !== undefined) return known
    if (!mayGenerateCode()) return null
    const made = new Function(...this.#parameters, body()) as F
    if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!)
    this.#kept.set(id, made)
    return made
  }
}

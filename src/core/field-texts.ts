/** Values that are not text → the text that stands for them in a field, as all text formats write it. */
import { types } from 'node:util'
import { OutputBuffer } from './bytes.ts'
import { CalendarDate } from './calendar-date.ts'
import { base64, JsonWriter } from './json.ts'
import { UnwritableValue } from './unwritable.ts'

export interface BooleanTexts {
  readonly trueText: string
  readonly falseText: string
}

function openJson(): { readonly out: OutputBuffer; readonly writer: JsonWriter } {
  const out = new OutputBuffer()
  return { out, writer: new JsonWriter(out, { bigint: 'number', nonFinite: 'null' }) }
}

export class FieldTexts {
  readonly #booleans: BooleanTexts
  #json: ReturnType<typeof openJson> | undefined

  constructor(booleans: BooleanTexts) {
    this.#booleans = booleans
  }

  /** Null for an object that stands for it. Throws UnwritableValue. */
  textOf(value: unknown): string | null {
    switch (typeof value) {
      case 'string':
        return value
      case 'number':
      case 'bigint':
        return `${value}`
      case 'boolean':
        return value ? this.#booleans.trueText : this.#booleans.falseText
      case 'object':
        return this.#objectText(value as object)
      default:
        throw new UnwritableValue(`a ${typeof value} has no form as a field`)
    }
  }

  #objectText(value: object): string | null {
    if (types.isDate(value)) {
      if (Number.isNaN(value.getTime())) throw new UnwritableValue('it is an invalid Date')
      return value instanceof CalendarDate ? value.toJSON() : value.toISOString()
    }
    if (types.isUint8Array(value)) return base64(value)
    const { out, writer } = (this.#json ??= openJson())
    out.take()
    writer.value(value)
    const json = out.bytes.toString('utf8', 0, out.length)
    // An object that stands for one text (a URL, a date of another library) is that text, not JSON text of it.
    if (json === 'null') return null
    return json.startsWith('"') ? (JSON.parse(json) as string) : json
  }
}

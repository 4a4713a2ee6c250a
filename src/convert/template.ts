/** Where each of many sources is converted to: a template, filled in from the source's name. */
import { createError, excerpt, nearest } from '../core/errors.ts'
import { findCodec } from '../registry.ts'

/** What a template is filled in with. */
export interface SourceName {
  /** Folders between the pattern's or folder's base and the file: `a/b`; empty for none. */
  readonly dir: string
  /** File name: `people.csv.gz`. */
  readonly name: string
  /** From 1, in the order of the sources. */
  readonly index: number
}

const FIELDS = ['dir', 'stem', 'name', 'ext', 'index'] as const

/** Whether a target is a template for many. */
export const isTemplate = (target: unknown): target is string => typeof target === 'string' && /\{[a-z]+\}/.test(target)

/** Throws OPTION_INVALID for a field that a template cannot have. */
export function checkTemplate(template: string): void {
  for (const [, field] of template.matchAll(/\{([^{}]*)\}/g)) {
    if (FIELDS.includes(field as (typeof FIELDS)[number])) continue
    const near = nearest(field!, FIELDS)
    throw createError('OPTION_INVALID', `the output template has the field ${excerpt(`{${field}}`)}`, {
      expected: FIELDS.map(known => `{${known}}`).join(', '),
      found: `{${field}}`,
      hint: near === undefined ? undefined : `did you mean {${near}}?`,
    })
  }
}

/** The template with its fields filled in; `{stem}` of `x.csv.gz` is `x`, and its `{ext}` is `csv.gz`. */
export function fillTemplate(template: string, { dir, name, index }: SourceName): string {
  const { stem, ext } = splitName(name)
  const fields: Record<string, string> = { dir, stem, name, ext, index: String(index) }
  const filled = template.replace(/\{([^{}]*)\}/g, (_, field: string) => fields[field] ?? '')
  // An empty {dir} leaves two slashes; those of `s3://` stay.
  return filled.replace(/(?<!:)\/{2,}/g, '/')
}

/** A file name without the extensions of its format and codecs, and these. */
export function splitName(name: string): { stem: string; ext: string } {
  const parts = name.split('.')
  let end = parts.length
  while (end > 2 && findCodec(parts[end - 1]!.toLowerCase()) !== undefined) end--
  if (end > 1 && parts.slice(0, end - 1).join('.') !== '') end--
  return { stem: parts.slice(0, end).join('.'), ext: parts.slice(end).join('.') }
}

/** Keys of a bucket, and names that a user's list gives, may be anything: none may lead out of the template's folder. */
export function checkName(dir: string, name: string): void {
  const climbs = dir.split(/[\\/]/).includes('..') || /^(?:[\\/]|[a-z]:)/i.test(dir)
  if (!climbs && !/[\\/\0]/.test(name) && !dir.includes('\0') && name !== '..' && name !== '.') return
  const found = excerpt(dir === '' ? name : `${dir}/${name}`)
  throw createError('OUTPUT_UNSAFE', `the name of a source, ${found}, would lead its output somewhere else`, {
    expected: 'names without .. and folders that are not absolute',
    found,
    hint: 'convert it by itself, or give it a name: { target, name }',
  })
}

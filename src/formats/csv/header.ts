/** Header records → column names. */
import { createError, type ErrorDetails, excerpt } from '../../core/errors.ts'

/** The parts of each column's name, from top to bottom, joined; empty parts are left out. */
export function joinHeader(records: readonly (readonly string[])[], separator: string): string[] {
  const width = Math.max(...records.map(record => record.length))
  return Array.from({ length: width }, (_, i) =>
    records
      .map(record => record[i] ?? '')
      .filter(part => part !== '')
      .join(separator),
  )
}

/**
 * The names, each of them once. The first column of a name keeps it; the next ones, and those without a name, get one
 * that no column has: `a, a, a_2` become `a`, `a_3`, `a_2`. With `'error'` both are errors instead.
 */
export function uniqueColumns(names: readonly string[], policy: 'rename' | 'error', place: ErrorDetails): string[] {
  const real = new Set(names)
  const used = new Set<string>()
  const nextNumber = new Map<string, number>()
  return names.map((name, i) => {
    if (name !== '' && !used.has(name)) {
      used.add(name)
      return name
    }
    if (policy === 'error') throw badName(names, name, i, place)
    const free = (candidate: string) => !real.has(candidate) && !used.has(candidate)
    const base = name === '' ? `column_${i + 1}` : name
    let unique = base
    // Numbers go on where the last search for this name ended: thousands of equal names cost no more than others.
    let number = nextNumber.get(base) ?? 2
    while (!free(unique)) unique = `${base}_${number++}`
    nextNumber.set(base, number)
    used.add(unique)
    return unique
  })
}

function badName(names: readonly string[], name: string, i: number, place: ErrorDetails): Error {
  if (name === '') {
    return createError('CSV_EMPTY_COLUMN', `column ${i + 1} has no name`, {
      ...place,
      expected: 'a name for each column',
      found: `no name for column ${i + 1}`,
      hint: "name it, or let a name be made with { duplicateColumns: 'rename' }",
    })
  }
  return createError(
    'CSV_DUPLICATE_COLUMN',
    `columns ${names.indexOf(name) + 1} and ${i + 1} are both ${excerpt(name)}`,
    {
      ...place,
      expected: 'each name once',
      found: name,
      hint: "rename one, or let that be done with { duplicateColumns: 'rename' }",
    },
  )
}

/** A key that no column has: `key`, or `key` and a number. */
export function freeKey(key: string, columns: readonly string[]): string {
  const taken = new Set(columns)
  let free = key
  for (let number = 2; taken.has(free); number++) free = `${key}_${number}`
  return free
}

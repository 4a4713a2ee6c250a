/** Which names that modules export, and which members of these, have no doc comment where they are declared. */
import { dirname, join } from 'node:path'
import ts from 'typescript-5'

export interface Undocumented {
  /** Names that are exported. */
  readonly names: number
  /** Members of the interfaces, classes and object types among them. */
  readonly members: number
  readonly missing: readonly Place[]
  /** Options that need not be given, and whose comment does not say what they are then. */
  readonly withoutDefault: readonly Place[]
}

interface Place {
  readonly file: string
  readonly line: number
  readonly name: string
}

/** Looks at what `entries` export; what is declared outside of the folder of the configuration is none of ours. */
export function undocumented(entries: readonly string[], configPath: string): Undocumented {
  const config = ts.getParsedCommandLineOfConfigFile(configPath, {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic })
  const program = ts.createProgram(entries, { ...config?.options, noEmit: true })
  const checker = program.getTypeChecker()
  const sources = join(dirname(configPath), 'src/')
  const missing = new Map<string, Place>()
  const withoutDefault = new Map<string, Place>()
  const seen = new Set<ts.Symbol>()
  let names = 0
  let members = 0

  const isOurs = (declaration: ts.Declaration): boolean => declaration.getSourceFile().fileName.startsWith(sources)
  const note = (places: Map<string, Place>, symbol: ts.Symbol, name: string): void => {
    const declaration = symbol.declarations?.[0]
    if (declaration === undefined || !isOurs(declaration)) return
    const file = declaration.getSourceFile()
    const line = file.getLineAndCharacterOfPosition(declaration.getStart()).line + 1
    places.set(`${file.fileName}:${line}`, { file: file.fileName, line, name })
  }
  const check = (symbol: ts.Symbol, name: string): void => {
    const comment = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim()
    if (comment === '') note(missing, symbol, name)
    else if (
      /(?:Options|Settings)\./.test(name) &&
      symbol.flags & ts.SymbolFlags.Optional &&
      !/default/i.test(comment)
    ) {
      note(withoutDefault, symbol, name)
    }
  }
  const checkMembers = (type: ts.Type, name: string): void => {
    // What a union has in its parts says its own comment.
    if ((type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) === 0) return
    for (const member of checker.getPropertiesOfType(type)) {
      const declaration = member.declarations?.[0]
      if (declaration === undefined || !isOurs(declaration) || isPrivate(declaration)) continue
      members++
      check(member, `${name}.${member.name}`)
    }
  }

  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)
    if (module === undefined) throw new Error(`${entry} exports nothing`)
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      if (seen.has(symbol)) continue
      seen.add(symbol)
      names++
      check(symbol, symbol.name)
      if (symbol.flags & ts.SymbolFlags.Type) checkMembers(checker.getDeclaredTypeOfSymbol(symbol), symbol.name)
    }
  }
  return { names, members, missing: [...missing.values()], withoutDefault: [...withoutDefault.values()] }
}

const isPrivate = (declaration: ts.Declaration): boolean => {
  const name = ts.getNameOfDeclaration(declaration)
  return (
    (name !== undefined && ts.isPrivateIdentifier(name)) ||
    (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private) !== 0
  )
}

function onUnRecoverableConfigFileDiagnostic({ messageText }: ts.Diagnostic): never {
  throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'))
}

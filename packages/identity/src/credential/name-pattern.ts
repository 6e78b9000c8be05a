import { isAgentName } from '@parley/protocol'

const aliasPattern = /^[a-z0-9][a-z0-9-]{0,62}$/

/** Tells whether text may be the first part of an agent name. */
export function isAlias(text: string): boolean {
  return aliasPattern.test(text)
}

/** Tells whether text is a pattern of agent names: one name, or `alias/*` for all names under an alias. */
export function isNamePattern(text: string): boolean {
  return text.endsWith('/*') ? isAlias(text.slice(0, -2)) : isAgentName(text)
}

/** Tells whether one of the patterns covers the name. */
export function namePatternsCover(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => (pattern.endsWith('/*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name))
}

/** Returns the first part of a name or name pattern. */
export function aliasOf(name: string): string {
  return name.slice(0, name.indexOf('/'))
}

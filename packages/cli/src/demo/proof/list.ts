/** Joins words for a fact. */
export function list(words: readonly (string | number)[]): string {
  return words.length === 0 ? 'nothing' : words.join(', ')
}

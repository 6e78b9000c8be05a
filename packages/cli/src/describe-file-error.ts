/** What the codes of the operating system mean to a person who named a file. */
const meanings: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it does not exist'],
  ['ENOTDIR', 'a part of its path is no folder'],
  ['EISDIR', 'it is a folder'],
  ['EEXIST', 'it exists already'],
  ['EACCES', 'this user has no right to it'],
  ['EPERM', 'this user has no right to it'],
])

/** Says why a file could not be used, in words where the code of the operating system is a common one. */
export function describeFileError(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
  return meanings.get(code) ?? code
}

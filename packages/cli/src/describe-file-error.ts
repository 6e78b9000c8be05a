/** What the codes of the operating system mean to a person who named a file. */
const meanings: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it does not exist'],
  ['ENOTDIR', 'a part of its path is no folder'],
  ['EISDIR', 'it is a folder'],
  ['EEXIST', 'it exists already'],
  ['EACCES', 'this user has no right to it'],
  ['EPERM', 'this user has no right to it'],
  ['EROFS', 'it is on a disk that can only be read'],
])

/** Says why a file could not be used, in words where the code of the operating system is a common one. */
export function describeFileError(cause: unknown): string {
  const code = codeOf(cause) ?? 'unknown'
  return meanings.get(code) ?? code
}

/** Whether what broke, or a cause of it, is that a wrong file was named: another one would do. */
export function isWrongFile(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return meanings.has(codeOf(error) ?? '') || isWrongFile(error.cause)
}

/** The file that the operating system refused; undefined for an error that is none of it. */
export function findRefusedPath(error: unknown): string | undefined {
  const isSystem = error instanceof Error && 'syscall' in error && 'path' in error
  return isSystem && typeof error.path === 'string' ? error.path : undefined
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
}

import { MeshError } from '@parley/protocol'

/** Longer names make the index the larger part of the file. */
const maxNameChars = 1024

/** Refuses a name that the file could not give back exactly as it was. Throws `store.name-invalid`. */
export function assertStoreName(name: string): void {
  if (name !== '' && name.length <= maxNameChars && name.isWellFormed() && !name.includes('\0')) return
  throw new MeshError(
    'store.name-invalid',
    `The name ${JSON.stringify(name.slice(0, 80))} of ${name.length} characters cannot be kept; use 1 to ${maxNameChars} well-formed characters without NUL.`,
  )
}

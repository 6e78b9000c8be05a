import { MeshError } from '@parley/protocol'

// I1 Two names never share a subject, and a subject gives its name back exactly.
// I2 A `/` of a name is a `.` of its subject, so that the broker itself lists a prefix and a permission can name one.

/** NATS reads a subject as part of one protocol line of at most 4,096 bytes; a reply subject and sizes share it. */
const maxSubjectChars = 1_024

/** Stands for an empty part of a name, which NATS has no token for; an escape always has two digits after the `=`. */
const emptyToken = '='

/** Writes the name of a stream or a key as a subject below `root`. Throws `store.name-invalid`. */
export function formatStoreSubject(root: string, name: string): string {
  const subject = `${root}.${name.split('/').map(encodeToken).join('.')}`
  if (name !== '' && name.isWellFormed() && !name.includes('\0') && subject.length <= maxSubjectChars) return subject
  throw new MeshError(
    'store.name-invalid',
    `The name ${JSON.stringify(name.slice(0, 80))} of ${name.length} characters cannot be kept; use well-formed characters without NUL, at most ${maxSubjectChars} as a NATS subject.`,
  )
}

/** Gives back the name that a subject below `root` stands for; undefined for a subject that nobody here wrote. */
export function parseStoreSubject(root: string, subject: string): string | undefined {
  if (!subject.startsWith(`${root}.`)) return undefined
  const parts: string[] = []
  for (const token of subject.slice(root.length + 1).split('.')) {
    const part = decodeToken(token)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return parts.join('/')
}

/** Writes the pattern whose subjects are a superset of the names that start with `prefix`: its whole parts, then anything. */
export function formatPrefixPattern(root: string, prefix: string): string {
  const whole = prefix.split('/').slice(0, -1)
  return [root, ...whole.map(encodeToken), '>'].join('.')
}

function encodeToken(part: string): string {
  if (part === '') return emptyToken
  return part.replaceAll(/[^A-Za-z0-9_-]+/gu, (run) =>
    [...new TextEncoder().encode(run)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

function decodeToken(token: string): string | undefined {
  if (token === emptyToken) return ''
  if (!/^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+$/.test(token)) return undefined
  try {
    return decodeURIComponent(token.replaceAll('=', '%'))
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

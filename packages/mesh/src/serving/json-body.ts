/** Writes a value as JSON; undefined if it has no JSON form, as a function, a bigint or what contains itself. */
export function formatJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a body as JSON in UTF-8; undefined if it is not. */
export function parseJsonBody(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(utf8.decode(bytes)) as unknown }
  } catch {
    return undefined
  }
}

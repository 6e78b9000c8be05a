const decoder = new TextDecoder('utf-8', { fatal: true })

/** Parses JSON in UTF-8; undefined for what is none. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}

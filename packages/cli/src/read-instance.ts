/** Takes the instance that a credential names, unverified: it is what the credential says, not who presents it. */
export function readInstance(token: string): string {
  return readClaim(token, 'instance')
}

/** Takes the agent that a credential names, unverified. */
export function readAgent(token: string): string {
  return readClaim(token, 'name')
}

function readClaim(token: string, name: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const value = typeof claims === 'object' && claims !== null ? Object.entries(claims) : []
    const [, claim] = value.find(([key]) => key === name) ?? []
    return typeof claim === 'string' ? claim : ''
  } catch {
    // Not a token: the verifier says so.
    return ''
  }
}

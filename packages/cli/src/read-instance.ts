/** Takes the instance that a credential names, unverified: it is what the credential says, not who presents it. */
export function readInstance(token: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const instance = typeof claims === 'object' && claims !== null && 'instance' in claims ? claims.instance : undefined
    return typeof instance === 'string' ? instance : ''
  } catch {
    // Not a token: the verifier says so.
    return ''
  }
}

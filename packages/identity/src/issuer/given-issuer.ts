import type { IssuedCredential, Issuer } from '@parley/ports'
import { MeshError } from '@parley/protocol'

/**
 * Creates an issuer of one credential that was given by hand, for instance to a person who signed in: a node presents it, and
 * verifies it under its own anchors as any other. It is given once; rejects with `identity.issuer-refused` after that, since
 * nobody is there who could renew it.
 */
export function createGivenIssuer(issued: IssuedCredential): Issuer {
  let isGiven = false
  return {
    issue({ name }) {
      if (isGiven)
        return Promise.reject(
          new MeshError('identity.issuer-refused', `the credential of ${name} was given by hand; ask for another one`),
        )
      isGiven = true
      return Promise.resolve(issued)
    },
  }
}

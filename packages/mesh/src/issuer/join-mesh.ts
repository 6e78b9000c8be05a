import { createKeySigner, joinTokenMethod, parseJoinToken, signAdmission, type JoinToken } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import type { MeshJoin } from './mesh-join.ts'

/**
 * Reads a join token, for instance of an environment variable: `createNode({ issuer: joinMesh(process.env.PARLEY_JOIN) })`.
 * The token names the broker, the mesh, the owners to accept and the issuer, and lets one instance in, once. The key in it
 * never leaves the process. Throws `identity.join-token-invalid`, also where there is none.
 */
export function joinMesh(token: string | undefined): MeshJoin {
  if (token === undefined || token === '')
    throw new MeshError(
      'identity.join-token-invalid',
      'there is no join token; is PARLEY_JOIN set, if it comes from there?',
    )
  return joinWith(parseJoinToken(token.trim()))
}

/** Joins with a token that was read. */
export function joinWith({ seed, grant, login, ...where }: JoinToken): MeshJoin {
  const voucher = createKeySigner(seed)
  return {
    ...where,
    ...(login ? { login: { ...login, voucher } } : {}),
    async admit(asked) {
      const credential = await signAdmission(voucher, { ...asked, method: joinTokenMethod })
      return { credential, statement: grant }
    },
  }
}

import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** How often a signature was checked in this process, frames and tokens alike. */
export const signatureChecks = { count: 0 }

// Everything that checks an Ed25519 signature in a node does it by this function. It is replaced before anything imports it,
// so that no check is missed; what it answers is its own.
const { verify } = crypto

Object.assign(crypto, {
  verify: (...args: Parameters<typeof verify>): unknown => {
    signatureChecks.count += 1
    return verify(...args)
  },
})
syncBuiltinESMExports()

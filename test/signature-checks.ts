import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** How often a signature was checked in this process, frames and tokens alike, and what processor time that took. */
export const signatureChecks = { count: 0, ms: 0 }

// Everything that checks an Ed25519 signature in a node does it by these two functions. They are replaced before anything
// imports them, so that no check is missed; what they answer is their own.
const { createPublicKey, verify } = crypto

function timed<Answer>(call: () => Answer): Answer {
  const before = process.threadCpuUsage()
  const answer = call()
  const { user, system } = process.threadCpuUsage(before)
  signatureChecks.ms += (user + system) / 1_000
  return answer
}

Object.assign(crypto, {
  createPublicKey: (...args: Parameters<typeof createPublicKey>) => timed(() => createPublicKey(...args)),
  verify: (...args: Parameters<typeof verify>): unknown => {
    signatureChecks.count += 1
    return timed((): unknown => verify(...args))
  },
})
syncBuiltinESMExports()

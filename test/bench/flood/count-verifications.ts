import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** How often a signature was checked in this process, frames and tokens alike, and what processor time that took. */
export const verifications = { count: 0, ms: 0 }

// Everything that checks an Ed25519 signature in a node does it by this one function. It is replaced before the first
// import of it, so that none is missed; what it answers is its own.
const verify = crypto.verify
const counted = (...args: Parameters<typeof verify>): unknown => {
  const before = process.threadCpuUsage()
  const answer: unknown = verify(...args)
  verifications.count += 1
  const { user, system } = process.threadCpuUsage(before)
  verifications.ms += (user + system) / 1_000
  return answer
}
Object.assign(crypto, { verify: counted })
syncBuiltinESMExports()

import { allowed, refuse } from '@parley/protocol'
import { openBody } from '../../session/body-keys.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/**
 * Decrypts the body, and refuses a request in the clear where contract or node ask for confidentiality. It must not wait:
 * parts are taken in the order in which they came.
 */
export const unseal: Stage<InboundHop> = {
  name: 'unseal',
  run(hop) {
    const { parts, envelope } = hop
    const header = left(hop.header, 'the header')
    if (header.bodyRef && header.type !== 'request' && header.type !== 'reply')
      return refuse('iatp.body-unreadable', `the body of ${header.type} does not travel by reference`)
    if (header.sealed !== true) {
      const served = header.capability === undefined ? undefined : parts.served.get(header.capability)
      if (header.type === 'request' && (parts.sealBodies || served?.contract.confidential === true))
        return refuse('iatp.confidentiality-required', 'the body of this request must be encrypted')
      hop.body = envelope.body
      return allowed
    }
    if (header.bodyRef) return refuse('iatp.body-unreadable', 'an encrypted body does not travel by reference')
    const { keys } = left(hop.session, 'the session')
    const body = keys && openBody(keys, left(header.counter, 'the counter'), envelope.header, envelope.body)
    if (!body) return refuse('iatp.body-unreadable', 'the body does not open with the keys of this session')
    hop.body = body
    return allowed
  },
}

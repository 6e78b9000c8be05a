import { createKeySigner, generateSeed } from '@parley/identity'
import { createSystemRandom, systemHash, type Delivery } from '@parley/ports'
import {
  decodeFrame,
  encodeFrame,
  frameSignedBytes,
  hashEnvelopes,
  parseHeader,
  signingDomains,
  suites,
  type EnvelopeHeader,
  type UnsignedEnvelope,
} from '@parley/protocol'
import { connectNats } from '@parley/transport-nats'
import type { OpenAgent } from './agent.ts'

/** A request that went over the bus, as anybody there can read it. */
interface Captured extends Delivery {
  readonly header: EnvelopeHeader
  readonly envelope: UnsignedEnvelope
  readonly leaf: string
}

const maxCaptured = 10_000

/**
 * Opens somebody who runs the broker: it sees everything and may publish everything, in spite of the fence. It has no
 * credential and no agent name.
 */
export const openAttacker: OpenAgent = async ({ natsUrl, login }) => {
  const bus = await connectNats({ servers: natsUrl, ...login })
  const random = createSystemRandom()
  const captured: Captured[] = []
  await bus.subscribe('>', (delivery) => {
    const request = captured.length < maxCaptured ? readRequest(delivery) : undefined
    // What it sends itself comes back to it, too.
    if (request && !captured.some(({ leaf }) => leaf === request.leaf)) captured.push(request)
  })
  const findRequest = (capability: string): Captured => {
    const found = captured.findLast(({ header }) => header.capability === capability && header.saga?.phase === 'do')
    if (!found) throw new RangeError(`no request of ${capability} was seen on the bus`)
    return found
  }
  return {
    commands: {
      /** Sends a captured request once more, byte for byte. */
      async replay() {
        const { subject, data, leaf } = findRequest('flights:reserve')
        bus.publish(subject, data)
        await bus.flush()
        return leaf
      },
      /** Claims to be the sender of a captured request, with another body and a signature of its own key. */
      async forge() {
        const { subject, header } = findRequest('flights:reserve')
        const envelope = {
          header: encode({ ...header, counter: (header.counter ?? 0) + 1 }),
          body: encode({ traveller: 'Nobody', from: 'ZRH', to: 'SFO' }),
          salt: random.bytes(16),
        }
        const signed = frameSignedBytes(systemHash, suites.ed25519Sha256, hashEnvelopes(systemHash, [envelope]))
        const signature = await createKeySigner(generateSeed(random)).sign(signingDomains.frame, signed)
        bus.publish(subject, encodeFrame(suites.ed25519Sha256, signature, [envelope]))
        await bus.flush()
      },
      /** Sends a captured request of flights to the inbox of hotels. */
      async readdress() {
        const { subject, data, leaf } = findRequest('flights:reserve')
        const other = findRequest('hotels:reserve').subject.split('.')
        bus.publish(
          subject
            .split('.')
            .with(3, other[3] ?? '')
            .join('.'),
          data,
        )
        await bus.flush()
        return leaf
      },
    },
    close: () => bus.close(),
  }
}

function readRequest(delivery: Delivery): Captured | undefined {
  const decoded = decodeFrame(systemHash, delivery.data)
  const envelope = decoded.kind === 'allow' ? decoded.frame.envelopes[0] : undefined
  const parsed = envelope && parseHeader(envelope.header)
  if (parsed?.kind !== 'allow' || parsed.header.type !== 'request') return undefined
  const leaf = Buffer.from(envelope?.leaf ?? []).toString('base64url')
  return { ...delivery, header: parsed.header, envelope: envelope as UnsignedEnvelope, leaf }
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

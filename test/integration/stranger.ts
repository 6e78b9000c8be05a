import { createKeySigner, generateSeed, type KeySigner } from '@parley/identity'
import { systemHash, type Transport } from '@parley/ports'
import {
  encodeFrame,
  formatInboxSubject,
  frameSignedBytes,
  hashEnvelopes,
  signingDomains,
  suites,
  type EnvelopeHeader,
  type InstanceDid,
} from '@parley/protocol'
import type { TestMesh } from '@parley/testkit'

/** What a stranger needs of a mesh. */
export type StrangeMesh = Pick<TestMesh, 'random' | 'clock' | 'bus'>

/** Somebody on the bus with a key of its own and no credential, who knows the protocol well. */
export interface Stranger {
  readonly did: InstanceDid
  readonly transport: Transport
  /** Signs an envelope with the stranger's key, whatever the header says. */
  sign(header: Partial<EnvelopeHeader>, body?: Uint8Array): Promise<Uint8Array>
  /** Signs and publishes to an instance's inbox, under a subject that names the stranger. */
  send(to: InstanceDid, header: Partial<EnvelopeHeader>, body?: unknown): Promise<void>
}

/** Connects a stranger to the bus of a mesh. */
export function createStranger(mesh: StrangeMesh): Stranger {
  const signer: KeySigner = createKeySigner(generateSeed(mesh.random))
  const transport = mesh.bus.connect()
  const sign: Stranger['sign'] = async (header, body = new Uint8Array()) => {
    const nowMs = mesh.clock.now()
    const whole = {
      type: 'request',
      id: Buffer.from(mesh.random.bytes(16)).toString('base64url'),
      from: signer.did,
      mesh: 'main',
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + 30_000,
      ...header,
    }
    const envelope = { header: new TextEncoder().encode(JSON.stringify(whole)), body, salt: mesh.random.bytes(16) }
    const bytes = frameSignedBytes(systemHash, suites.ed25519Sha256, hashEnvelopes(systemHash, [envelope]))
    return encodeFrame(suites.ed25519Sha256, await signer.sign(signingDomains.frame, bytes), [envelope])
  }
  return {
    did: signer.did,
    transport,
    sign,
    async send(to, header, body = {}) {
      const frame = await sign({ to, ...header }, new TextEncoder().encode(JSON.stringify(body)))
      transport.publish(formatInboxSubject('main', to, signer.did), frame)
      await mesh.clock.settle()
    },
  }
}

import { createKeySigner, generateSeed, type KeySigner } from '@parley/identity'
import { systemHash, type Delivery, type IssuedCredential } from '@parley/ports'
import {
  decodeFrame,
  encodeFrame,
  formatEventSubject,
  formatInboxPattern,
  formatInboxSubject,
  frameSignedBytes,
  hashEnvelopes,
  parseHeader,
  signingDomains,
  suites,
  type EnvelopeHeader,
  type InstanceDid,
  type UnsignedEnvelope,
} from '@parley/protocol'
import type { ContractCapability } from '@parley/mesh'
import type { TestMesh } from '@parley/testkit'

/** One envelope as the rogue wants it: whatever it gives replaces what a sound sender would write. */
export interface RogueEnvelope {
  readonly header: Readonly<Record<string, unknown>>
  readonly body?: unknown
  /** Header bytes instead of `header`. */
  readonly text?: string
}

/** What came to the rogue's inbox: one entry an envelope. */
export interface Received {
  readonly header: EnvelopeHeader
  readonly leaf: string
  readonly body: unknown
  readonly unit: Delivery
}

/** A peer that speaks the protocol by hand, with a key of its own and, where it was given one, a sound credential. */
export interface Rogue {
  readonly did: InstanceDid
  readonly signer: KeySigner
  readonly issued: IssuedCredential
  readonly inbox: readonly Received[]
  /** Signs envelopes as one frame; returns the leaf hash of each. */
  frame(
    envelopes: readonly RogueEnvelope[],
  ): Promise<{ readonly bytes: Uint8Array; readonly leaves: readonly string[] }>
  /** Signs and publishes to an inbox; returns the leaf hash of each envelope. */
  send(to: InstanceDid, ...envelopes: readonly RogueEnvelope[]): Promise<readonly string[]>
  /** Signs and publishes an event. */
  emit(topic: string, body: unknown, header?: Readonly<Record<string, unknown>>): Promise<void>
  /** Publishes bytes under any subject. */
  publish(subject: string, bytes: Uint8Array): Promise<void>
  /** A sound hello, without a key share, or with the changes that are given. */
  hello(changes?: Readonly<Record<string, unknown>>): RogueEnvelope
  /** Shakes hands and returns the session's id. Throws when it is refused. */
  shake(to: InstanceDid, hello?: RogueEnvelope): Promise<string>
  /** Computes the id of the session of a hello and a welcome. */
  sessionOf(helloLeaf: string, welcomeLeaf: string): string
  /** A request of a capability in a session. */
  request(session: string, counter: number, contract: ContractCapability, more?: Partial<RogueEnvelope>): RogueEnvelope
  last(): Received
}

/** Makes a peer whom the mesh's own issuer vouches for as `name`. */
export async function createRogue(
  mesh: TestMesh,
  name: string,
  grants: { readonly serves?: readonly string[]; readonly calls?: readonly string[] } = {},
): Promise<Rogue> {
  const signer = createKeySigner(generateSeed(mesh.random))
  const { did } = signer
  const { serves = [], calls = ['shop:look', 'shop:buy'] } = grants
  const issued = await mesh.issuer.issue({ name, instance: did, serves, calls })
  const transport = mesh.bus.connect()
  const inbox: Received[] = []
  await transport.subscribe(formatInboxPattern('main', did), (unit) => inbox.push(...readUnit(unit)))

  const unsigned = ({ header, body, text }: RogueEnvelope): UnsignedEnvelope => {
    const nowMs = mesh.clock.now()
    const id = Buffer.from(mesh.random.bytes(16)).toString('base64url')
    const common = { type: 'request', id, from: did, mesh: 'main', issuedAtMs: nowMs, expiresAtMs: nowMs + 30_000 }
    return {
      header: new TextEncoder().encode(text ?? JSON.stringify({ ...common, ...header })),
      body:
        body instanceof Uint8Array ? body : new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body)),
      salt: mesh.random.bytes(16),
    }
  }
  const frame: Rogue['frame'] = async (envelopes) => {
    const parts = envelopes.map(unsigned)
    const leaves = hashEnvelopes(systemHash, parts)
    const signature = await signer.sign(
      signingDomains.frame,
      frameSignedBytes(systemHash, suites.ed25519Sha256, leaves),
    )
    return {
      bytes: encodeFrame(suites.ed25519Sha256, signature, parts),
      leaves: leaves.map((leaf) => Buffer.from(leaf).toString('base64url')),
    }
  }
  const rogue: Rogue = {
    did,
    signer,
    issued,
    inbox,
    frame,
    async send(to, ...envelopes) {
      const { bytes, leaves } = await frame(envelopes.map((one) => ({ ...one, header: { to, ...one.header } })))
      await rogue.publish(formatInboxSubject('main', to, did), bytes)
      return leaves
    },
    async emit(topic, body, header = {}) {
      const { credential, statement } = issued
      const { bytes } = await frame([{ header: { type: 'event', to: topic, credential, statement, ...header }, body }])
      await rogue.publish(formatEventSubject('main', topic, did), bytes)
    },
    async publish(subject, bytes) {
      transport.publish(subject, bytes)
      await mesh.clock.settle()
    },
    hello(changes = {}) {
      const nonce = Buffer.from(mesh.random.bytes(16)).toString('base64url')
      const { credential, statement } = issued
      return { header: { type: 'hello', nonce, versions: [1], suites: [1], credential, statement, ...changes } }
    },
    async shake(to, hello = rogue.hello()) {
      const [helloLeaf = ''] = await rogue.send(to, hello)
      const welcome = inbox.findLast(({ header }) => header.inReplyTo === helloLeaf)
      if (welcome?.header.type !== 'welcome') throw new Error(`no welcome but ${JSON.stringify(welcome?.body)}`)
      const session = rogue.sessionOf(helloLeaf, welcome.leaf)
      await rogue.send(to, { header: { type: 'ready', session, inReplyTo: welcome.leaf, version: 1, suite: 1 } })
      return session
    },
    sessionOf(...leaves) {
      const bytes = leaves.map((leaf) => Buffer.from(leaf, 'base64url'))
      return Buffer.from(systemHash(...bytes)).toString('base64url')
    },
    request(session, counter, { capability, hash }, { header = {}, body = {} } = {}) {
      const traceparent = `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`
      const call = { type: 'request', session, counter, capability, contract: hash, remainingMs: 1_000, traceparent }
      return { header: { ...call, ...header }, body }
    },
    last() {
      const received = inbox.at(-1)
      if (!received) throw new Error('nothing came')
      return received
    },
  }
  return rogue
}

function readUnit(unit: Delivery): Received[] {
  const decoded = decodeFrame(systemHash, unit.data)
  if (decoded.kind === 'deny') return []
  return decoded.frame.envelopes.flatMap((envelope) => {
    const parsed = parseHeader(envelope.header)
    if (parsed.kind === 'deny') return []
    const text = new TextDecoder().decode(envelope.body)
    const isReadable = text !== '' && parsed.header.sealed !== true
    const body: unknown = isReadable ? JSON.parse(text) : undefined
    return [{ header: parsed.header, leaf: Buffer.from(envelope.leaf).toString('base64url'), body, unit }]
  })
}

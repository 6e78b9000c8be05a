import type { KeySigner } from '@parley/identity'
import { systemHash, type Random } from '@parley/ports'
import {
  decodeFrame,
  encodeFrame,
  formatInboxSubject,
  frameSignedBytes,
  hashEnvelopes,
  parseHeader,
  signingDomains,
  suites,
  type InstanceDid,
} from '@parley/protocol'
import type { InboundLab } from './inbound-lab.ts'

/** Writes a sound header for a moment and a sender. */
export type HeaderWriter = (nowMs: number, from: InstanceDid) => Readonly<Record<string, unknown>>

/** A peer with a live session at the lab's node, and what its frames are made from. */
export interface FuzzPeer {
  readonly signer: KeySigner
  /** Headers of its own session; its requests name a contract that the node does not have. */
  readonly headers: readonly HeaderWriter[]
  /** Headers with this peer's credential, for a stranger who presents it. */
  readonly strangerHeaders: readonly HeaderWriter[]
  /** Frames as it sent them when it shook hands. */
  readonly frames: readonly Uint8Array[]
}

/** Shakes hands with the lab's node, which the peer listens to. Throws where that fails: then there is nothing to fuzz. */
export async function openPeer(lab: InboundLab, random: Random, signer: KeySigner): Promise<FuzzPeer> {
  const issued = await lab.issuer.issue({
    name: 'acme/peer',
    instance: signer.did,
    serves: [lab.capability.capability],
    calls: [lab.capability.capability],
  })
  const draw = (length: number): string => Buffer.from(random.bytes(length)).toString('base64url')
  const common = (type: string, nowMs: number, from: InstanceDid): Readonly<Record<string, unknown>> => ({
    type,
    id: draw(16),
    from,
    to: lab.instance,
    mesh: 'main',
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 30_000,
  })
  const { credential, statement } = issued
  const introduction = { credential, statement, versions: [1], suites: [1] }
  const hello: HeaderWriter = (nowMs, from) => ({ ...common('hello', nowMs, from), ...introduction, nonce: draw(16) })
  const frames: Uint8Array[] = []
  const send = async (header: object): Promise<Uint8Array> => {
    const envelope = { header: Buffer.from(JSON.stringify(header)), body: new Uint8Array(), salt: random.bytes(16) }
    const leaves = hashEnvelopes(systemHash, [envelope])
    const signedBytes = frameSignedBytes(systemHash, suites.ed25519Sha256, leaves)
    const bytes = encodeFrame(suites.ed25519Sha256, await signer.sign(signingDomains.frame, signedBytes), [envelope])
    frames.push(bytes)
    lab.publish(formatInboxSubject('main', lab.instance, signer.did), bytes)
    await lab.clock.settle()
    return leaves[0] ?? new Uint8Array()
  }
  const passedBefore = lab.passed.get('handshake') ?? 0
  const helloLeaf = await send(hello(lab.clock.now(), signer.did))
  const answer = lab.takeAnswers().at(-1)
  const decoded = answer && decodeFrame(systemHash, answer.data)
  const welcome = decoded?.kind === 'allow' ? decoded.frame.envelopes[0] : undefined
  const parsed = welcome && parseHeader(welcome.header)
  if (!welcome || parsed?.kind !== 'allow' || parsed.header.type !== 'welcome')
    throw new Error('the node gave no welcome')
  const session = Buffer.from(systemHash(helloLeaf, welcome.leaf)).toString('base64url')
  const inReplyTo = Buffer.from(welcome.leaf).toString('base64url')
  const chosen = { version: 1, suite: 1 }
  await send({ ...common('ready', lab.clock.now(), signer.did), session, inReplyTo, ...chosen })
  if ((lab.passed.get('handshake') ?? 0) < passedBefore + 2) throw new Error('no session was opened')
  let counter = 0
  const ofSession = (type: string, nowMs: number, from: InstanceDid): Readonly<Record<string, unknown>> => ({
    ...common(type, nowMs, from),
    session,
    counter: ++counter,
  })
  const request: HeaderWriter = (nowMs, from) => ({
    ...ofSession('request', nowMs, from),
    capability: lab.capability.capability,
    contract: 'A'.repeat(43),
    remainingMs: 5_000,
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    labels: ['pii'],
    onBehalfOf: 'tenant-7',
  })
  const reply: HeaderWriter = (nowMs, from) => ({ ...ofSession('reply', nowMs, from), inReplyTo })
  const outcome: HeaderWriter = (nowMs, from) => ({
    ...common('outcome', nowMs, from),
    to: lab.mailbox,
    ...introduction,
    capability: lab.capability.capability,
    contract: lab.capability.hash,
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    inReplyTo,
  })
  const cancel: HeaderWriter = (nowMs, from) => ({ ...ofSession('cancel', nowMs, from), inReplyTo })
  const refusal: HeaderWriter = (nowMs, from) => ({ ...common('refusal', nowMs, from), inReplyTo })
  const ready: HeaderWriter = (nowMs, from) => ({ ...common('ready', nowMs, from), session, inReplyTo, ...chosen })
  return {
    signer,
    headers: [request, request, request, reply, cancel, refusal, ready, outcome],
    strangerHeaders: [
      hello,
      ready,
      request,
      (nowMs, from) => ({ ...common('event', nowMs, from), to: 'card', ...introduction }),
      outcome,
    ],
    frames,
  }
}

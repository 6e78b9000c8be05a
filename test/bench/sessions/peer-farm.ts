import { createKeyAgreement, createKeySigner, generateSeed } from '@parley/identity'
import { createSystemRandom, systemHash, type Issuer } from '@parley/ports'
import {
  decodeFrame,
  encodeFrame,
  formatInboxSubject,
  frameSignedBytes,
  hashEnvelopes,
  parseHeader,
  parseSubject,
  signingDomains,
  suites,
  type EnvelopeHeader,
  type InstanceDid,
} from '@parley/protocol'
import { connectNats } from '@parley/transport-nats'
import { echo } from '../hop/echo-contract.ts'

/** Peers without a node of their own: a key, a credential, one handshake and one call each, and then silence. */
export interface PeerFarm extends AsyncDisposable {
  /** Lets a few peers shake hands and call so often: compilers, pools and caches have their size by then. */
  warmUp(times: number): Promise<void>
  /** Lets peers from number `from` to before `to` open a session with the host and call it once. */
  open(from: number, to: number): Promise<void>
}

interface Answer {
  readonly header: EnvelopeHeader
  readonly leaf: string
}

const mesh = 'main'
const lifetimeMs = 30_000
/** Handshakes at the same time: below what a node lets wait. */
const openAtOnce = 32
/** Peers that warm the host up; of the sessions of each it keeps eight. */
const warmUpPeers = 16
/** A peer costs three of the signatures that all strangers together may have checked in a second. */
const pauseMs = 1_000
const peersPerPause = 500

/** Connects the farm; its peers call the instance `host`. */
export async function connectPeerFarm(url: string, issuer: Issuer, host: InstanceDid): Promise<PeerFarm> {
  const random = createSystemRandom()
  const agreement = createKeyAgreement(random)
  const transport = await connectNats({ servers: url })
  const waiting = new Map<string, (answer: Answer) => void>()
  await transport.subscribe(`iatp.1.${mesh}.*.*`, ({ subject, data }) => {
    const wanted = waiting.get(parseSubject(subject)?.to ?? '')
    const decoded = wanted && decodeFrame(systemHash, data)
    if (decoded?.kind !== 'allow') return
    for (const envelope of decoded.frame.envelopes) {
      const parsed = parseHeader(envelope.header)
      if (parsed.kind === 'allow') wanted?.({ header: parsed.header, leaf: encodeBytes(envelope.leaf) })
    }
  })
  /** Makes a peer; what is returned shakes hands and calls once. */
  const createPeer = async (number: number): Promise<() => Promise<void>> => {
    const signer = createKeySigner(generateSeed(random))
    const { did } = signer
    const name = `bench/peer${number < 0 ? '-warm' : ''}-${String(Math.abs(number))}`
    const { credential, statement } = await issuer.issue({
      name,
      instance: did,
      serves: [],
      calls: [echo.say.capability],
    })
    const send = async (
      envelopes: readonly { readonly header: Readonly<Record<string, unknown>>; readonly body?: object }[],
    ): Promise<{ readonly answer: Promise<Answer>; readonly leaves: readonly string[] }> => {
      const issuedAtMs = Date.now()
      const common = { from: did, to: host, mesh, issuedAtMs, expiresAtMs: issuedAtMs + lifetimeMs }
      const unsigned = envelopes.map(({ header, body }) => ({
        header: encodeJson({ ...common, id: encodeBytes(random.bytes(16)), ...header }),
        body: body ? encodeJson(body) : new Uint8Array(),
        salt: random.bytes(16),
      }))
      const leaves = hashEnvelopes(systemHash, unsigned)
      const suite = suites.ed25519Sha256
      const signature = await signer.sign(signingDomains.frame, frameSignedBytes(systemHash, suite, leaves))
      const { promise, resolve, reject } = Promise.withResolvers<Answer>()
      const timer = setTimeout(() => {
        reject(new Error(`the host did not answer ${name}`))
      }, lifetimeMs)
      waiting.set(did, (answer) => {
        clearTimeout(timer)
        resolve(answer)
      })
      transport.publish(formatInboxSubject(mesh, host, did), encodeFrame(suite, signature, unsigned))
      return { answer: promise, leaves: leaves.map(encodeBytes) }
    }
    return async () => {
      const share = await agreement.createShare()
      const greeted = await send([
        {
          header: {
            type: 'hello',
            nonce: encodeBytes(random.bytes(16)),
            versions: [1],
            suites: [1],
            keyShare: encodeBytes(share.publicKey),
            credential,
            statement,
          },
        },
      ])
      const welcome = await greeted.answer
      if (welcome.header.type !== 'welcome') throw new Error(`${name} was answered ${welcome.header.type} to its hello`)
      const bound = [greeted.leaves[0] ?? '', welcome.leaf].map((leaf) => Buffer.from(leaf, 'base64url'))
      const session = encodeBytes(systemHash(...bound))
      const called = await send([
        { header: { type: 'ready', session, inReplyTo: welcome.leaf, version: 1, suite: 1 } },
        {
          header: {
            type: 'request',
            session,
            counter: 1,
            capability: echo.say.capability,
            contract: echo.say.hash,
            remainingMs: 10_000,
            traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
          },
          body: { text: name },
        },
      ])
      const reply = await called.answer
      if (reply.header.type !== 'reply') throw new Error(`${name} was answered ${reply.header.type} to its request`)
      waiting.delete(did)
    }
  }
  return {
    async warmUp(times) {
      const peers = await Promise.all(Array.from({ length: warmUpPeers }, (_, at) => createPeer(-1 - at)))
      await Promise.all(
        peers.map(async (shake) => {
          for (let done = 0; done < times; done += warmUpPeers) await shake()
        }),
      )
    },
    async open(from, to) {
      for (let start = from; start < to; start += peersPerPause) {
        const end = Math.min(to, start + peersPerPause)
        const untilMs = performance.now() + pauseMs
        let next = start
        const work = async (): Promise<void> => {
          while (next < end) {
            const shake = await createPeer(next++)
            await shake()
          }
        }
        await Promise.all(Array.from({ length: openAtOnce }, work))
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, untilMs - performance.now())))
      }
    },
    [Symbol.asyncDispose]: () => transport.close(),
  }
}

function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function encodeJson(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

import {
  chainPermits,
  createAnchors,
  createJoinSeats,
  createOrderBook,
  decideArguments,
  hashChain,
  signJoinGrant,
  verifyAdmission,
  verifyCredential,
  verifyDeclaration,
  verifyDelegationChain,
  verifySignature,
  type JoinGrant,
} from '@parley/identity'
import { createManualClock, systemHash, type Store } from '@parley/ports'
import {
  decodeFrame,
  formatInboxSubject,
  parseHeader,
  parseSubject,
  signingDomains,
  verifyEvidence,
  type AgentId,
  type InstanceDid,
} from '@parley/protocol'
import { openSqliteStore } from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'
import { readText } from '../architecture/source-tree.ts'
import { openShop } from '../integration/shop.ts'
import { tapWire } from '../integration/wire.ts'
import { openInboundLab } from '../fuzz/inbound-lab.ts'
import { createChainVectors } from '../vectors/chain-vectors.ts'
import { createCredentialVectors } from '../vectors/credential-vectors.ts'
import { createDeclarationVectors } from '../vectors/declaration-vectors.ts'
import { createEvidenceVectors } from '../vectors/evidence-vectors.ts'
import { createFrameVectors } from '../vectors/frame-vectors.ts'
import { createTranscript } from '../vectors/handshake-vectors.ts'
import { createJoinVectors, createSeatVectors, type JoinAsked } from '../vectors/join-vectors.ts'
import { createHeadVectors, createOrderVectors } from '../vectors/order-vectors.ts'
import { subjectVectors, unwritableSubjects } from '../vectors/subject-vectors.ts'
import { acmeIssuer, anchorList } from '../vectors/token-parties.ts'
import { hex, nowMs, receiver, seedOf, sender } from '../vectors/vector-kit.ts'
import { renderVectorFiles } from '../vectors/vector-files.ts'

const anchors = createAnchors(anchorList)
const codeOf = (verdict: { readonly kind: 'allow' } | { readonly kind: 'deny'; readonly code: string }): string =>
  verdict.kind === 'deny' ? verdict.code : 'allow'

/** A store in memory that ends with its test. */
async function openSeatStore(): Promise<AsyncDisposable & Pick<Store, 'keyValue'>> {
  const store = await openSqliteStore({ path: ':memory:' })
  return { keyValue: store.keyValue, [Symbol.asyncDispose]: () => store.close() }
}

describe('protocol/vectors', () => {
  it('have not moved', async () => {
    for (const [name, text] of await renderVectorFiles())
      expect(readText(`protocol/vectors/${name}`) === text, `${name}: run node protocol/generate-vectors.ts`).toBe(true)
  })

  it('have no two entries of one name in a file', async () => {
    for (const entries of [
      await createFrameVectors(),
      await createEvidenceVectors(),
      await createCredentialVectors(),
      await createChainVectors(),
      await createOrderVectors(),
      await createHeadVectors(),
      await createDeclarationVectors(),
      await createJoinVectors(),
    ]) {
      const names = entries.map(({ name }) => name)
      expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
    }
  })

  it('frames are judged as they say by the stages of a node', async () => {
    await using lab = await openInboundLab(seedOf('receiver'))
    expect([lab.instance, lab.clock.now()]).toEqual([receiver.did, nowMs])
    for (const { name, subject, bytes, zeros = 0, expect: expected, stage, leaves } of await createFrameVectors()) {
      const data = Buffer.concat([Buffer.from(bytes, 'hex'), Buffer.alloc(zeros)])
      const end = await lab.judge({ subject, data })
      expect([name, end.code, end.stage], name).toEqual([name, expected, stage])
      const decoded = decodeFrame(systemHash, data)
      const found = decoded.kind === 'allow' ? decoded.frame.envelopes.map(({ leaf }) => hex(leaf)) : undefined
      expect(leaves === undefined ? undefined : found, name).toEqual(leaves)
    }
  })

  it('evidence is judged as it says', async () => {
    for (const { name, bytes, expect: expected, leaf, hasBody } of await createEvidenceVectors()) {
      const result = verifyEvidence(systemHash, Buffer.from(bytes, 'hex'), verifySignature)
      expect(codeOf(result), name).toBe(expected)
      if (result.kind === 'deny') continue
      expect([hex(result.verified.leaf), result.verified.body !== undefined], name).toEqual([leaf, hasBody])
    }
  })

  it('subjects say what they say, and some cannot be written', () => {
    for (const { subject, facts } of subjectVectors) expect(parseSubject(subject), subject).toEqual(facts)
    for (const { mesh, to } of unwritableSubjects)
      expect(() => formatInboxSubject(mesh, to as InstanceDid, sender.did)).toThrow(/cannot be part of a subject/)
  })

  it('credentials and issuer statements are judged as they say', async () => {
    for (const { name, expect: expected, instance, ...presented } of await createCredentialVectors())
      expect(codeOf(verifyCredential(presented, { anchors, instance, nowMs })), name).toBe(expected)
  })

  it('chains are judged as they say', async () => {
    for (const vector of await createChainVectors()) {
      const { name, links, delegate, capability, callee, input, hash, expect: expected } = vector
      const result = verifyDelegationChain(links, { anchors, nowMs, delegate: delegate as AgentId })
      const verdict =
        result.kind === 'deny' ? result : chainPermits(result.chain, { capability, callee: callee as AgentId })
      const isWithin = result.kind === 'allow' && verdict.kind === 'allow'
      expect(codeOf(isWithin ? decideArguments(result.chain.constraints, input) : verdict), name).toBe(expected)
      expect(hashChain(links)).toBe(hash)
    }
  })

  it('orders are judged as they say', async () => {
    for (const { name, held, order, expect: expected } of await createOrderVectors()) {
      const book = createOrderBook({ anchors })
      for (const before of held) expect(codeOf(book.accept(before, nowMs)), name).toBe('allow')
      expect(codeOf(book.accept(order, nowMs)), name).toBe(expected)
    }
  })

  it('declarations are judged as they say', async () => {
    for (const { name, declaration, expect: expected, ...wanted } of await createDeclarationVectors())
      expect(codeOf(verifyDeclaration(declaration, { ...wanted, anchors, nowMs })), name).toBe(expected)
  })

  it('admissions are judged as they say, and grants to come back are named as they say', async () => {
    const clock = createManualClock(nowMs)
    for (const { name, before, expect: expected, ...asked } of await createJoinVectors()) {
      await using store = await openSeatStore()
      const grantJoin = (grant: JoinGrant): Promise<string> => signJoinGrant(acmeIssuer, grant)
      const seats = createJoinSeats({ issuer: acmeIssuer.did, grantJoin, keyValue: store.keyValue, clock })
      const judge = async ({ admission, grant: evidence, sender: from }: JoinAsked) => {
        const verdict = verifyAdmission(admission, { sender: from, nowMs })
        if (verdict.kind === 'deny') return verdict
        return seats.attestor.attest({ ...verdict.admission, evidence })
      }
      for (const { key, ...taken } of before) {
        expect((await judge(taken)).kind, name).toBe('allow')
        if (key === undefined) continue
        const granted = await seats.grantNext(taken.grant, taken.sender, key)
        const [, payload = ''] = granted.kind === 'allow' ? granted.grant.token.split('.') : []
        const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly jti: string }
        expect(createSeatVectors().find((seat) => seat.key === key)?.jti).toBe(jti)
      }
      const verdict = await judge(asked)
      expect(verdict.kind === 'deny' ? verdict.code : 'allow', name).toBe(expected)
    }
  })

  it('heads are judged as they say', async () => {
    for (const { name, held, heads, head, expect: expected } of await createHeadVectors()) {
      const book = createOrderBook({ anchors })
      for (const order of held) expect(codeOf(book.accept(order, nowMs)), name).toBe('allow')
      for (const before of heads) expect(codeOf(book.acceptHead(before, nowMs)), name).toBe('allow')
      expect(codeOf(book.acceptHead(head, nowMs)), name).toBe(expected)
    }
  })
})

describe('the handshake of the vectors', () => {
  it('holds: every frame is signed, every answer names its leaf, every header is read', async () => {
    const { session, frames } = await createTranscript()
    const leaves: string[] = []
    for (const { name, subject, bytes, envelopes } of frames) {
      const decoded = decodeFrame(systemHash, Buffer.from(bytes, 'hex'))
      if (decoded.kind === 'deny') throw new Error(decoded.reason)
      const { frame } = decoded
      const from = parseSubject(subject)?.from ?? ''
      expect(verifySignature(from, signingDomains.frame, frame.signedBytes, frame.signature), name).toBe(true)
      for (const [at, envelope] of frame.envelopes.entries()) {
        const parsed = parseHeader(envelope.header)
        expect(parsed, name).toEqual({ kind: 'allow', header: envelopes[at]?.header })
        const answered = parsed.kind === 'allow' ? parsed.header.inReplyTo : undefined
        expect(answered === undefined || leaves.includes(answered), name).toBe(true)
        leaves.push(Buffer.from(envelope.leaf).toString('base64url'))
      }
    }
    const [hello = '', welcome = ''] = leaves
    const bound = systemHash(Buffer.from(hello, 'base64url'), Buffer.from(welcome, 'base64url'))
    expect(Buffer.from(bound).toString('base64url')).toBe(session)
  })

  it('presents credentials that an anchor accepts', async () => {
    const { frames } = await createTranscript()
    const headers = frames.slice(0, 2).map(({ envelopes }) => envelopes[0]?.header as Record<string, string>)
    for (const { credential = '', statement = '', from = '' } of headers)
      expect(codeOf(verifyCredential({ credential, statement }, { anchors, instance: from, nowMs }))).toBe('allow')
  })

  it('has the fields that real nodes send, type by type', async () => {
    await using open = await openShop()
    const wire = tapWire(open.mesh.bus)
    await open.buy()
    const { frames } = await createTranscript()
    const written = frames.flatMap(({ envelopes }) => envelopes.map(({ header }) => header as Record<string, unknown>))
    for (const type of ['hello', 'welcome', 'ready', 'request', 'reply'] as const) {
      const sent = wire.headers().find((header) => header.type === type)
      const vector = written.find((header) => header['type'] === type)
      expect(Object.keys(vector ?? {}).toSorted(), type).toEqual(Object.keys(sent ?? {}).toSorted())
    }
  })
})

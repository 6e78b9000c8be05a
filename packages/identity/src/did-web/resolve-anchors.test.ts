import { createManualClock, createSeededRandom } from '@parley/ports'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Did } from '@parley/protocol'
import type { DIDDocument } from 'did-resolver'
import { describe, expect, it } from 'vitest'
import { createAnchors, parseAnchor, type Anchor } from '../credential/anchor.ts'
import { verifyCredential } from '../credential/verify-credential.ts'
import { verifyDelegationChain } from '../delegation/delegation-chain.ts'
import { extendDelegation, signDelegation } from '../delegation/delegation.ts'
import { initFileIssuer, openFileIssuer, renewIssuerStatement } from '../issuer/file-issuer.ts'
import { openOwner } from '../issuer/issuer-folder.ts'
import { createKeySigner, type KeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createOrderBook } from '../order/order-book.ts'
import { signOrder } from '../order/order.ts'
import { createWebResolver } from './did-web-resolver.ts'
import { formatDidDocument, hashOwnerKeySet, type OwnerKeySet } from './owner-key-set.ts'
import { refreshAnchors, resolveAnchors } from './resolve-anchors.ts'
import { startTestSite } from './test-site.fixture.ts'

const random = createSeededRandom(12)
const did: Did = 'did:web:acme.example'
const draw = (): KeySigner => createKeySigner(generateSeed(random))
const setOf = (key: KeySigner, next?: string): OwnerKeySet => ({
  threshold: 1,
  keys: [key.did],
  ...(next === undefined ? {} : { next }),
})

/** A resolver whose document the test changes. */
function createSite(first: OwnerKeySet): {
  publish(set: OwnerKeySet | undefined): void
  asked(): number
  resolver: Parameters<typeof resolveAnchors>[1]
} {
  let document: DIDDocument | null = formatDidDocument(did, first)
  let asked = 0
  return {
    publish(set) {
      document = set ? formatDidDocument(did, set) : null
    },
    asked: () => asked,
    resolver: {
      resolve: () => {
        asked += 1
        return Promise.resolve({ didDocument: document, didResolutionMetadata: {}, didDocumentMetadata: {} })
      },
    },
  }
}

const anchorOf = (pin: string): Anchor => ({ owner: did, alias: 'acme', issues: ['acme/*'], roots: 'all', pin })

describe('resolveAnchors', () => {
  it('takes the keys that the pin was made of, and no others', async () => {
    const [right, wrong] = [draw(), draw()]
    const site = createSite(setOf(right))
    const [resolved] = await resolveAnchors([anchorOf(hashOwnerKeySet(setOf(right)))], site.resolver)
    expect(createAnchors(resolved ? [resolved] : []).keysOf(did)).toEqual([right.did])
    await expect(resolveAnchors([anchorOf(hashOwnerKeySet(setOf(wrong)))], site.resolver)).rejects.toMatchObject({
      code: 'identity.pin-mismatch',
    })
    site.publish(setOf(wrong))
    const [open] = await resolveAnchors([anchorOf('off')], site.resolver)
    expect(open?.keySet?.keys).toEqual([wrong.did])
    site.publish(undefined)
    await expect(resolveAnchors([anchorOf('off')], site.resolver)).rejects.toMatchObject({
      code: 'identity.did-unresolvable',
    })
  })

  it('is needed before an anchor of a did:web is of use, and a pin is never left out', () => {
    const pin = hashOwnerKeySet(setOf(draw()))
    expect(() => createAnchors([anchorOf(pin)])).toThrow(/resolveAnchors/)
    expect(() => parseAnchor({ ...anchorOf(pin), pin: undefined })).toThrow(/needs a pin/)
    expect(() => parseAnchor({ ...anchorOf(pin), keySet: setOf(draw()) })).toThrow(/not those that it pins/)
    const { did: owner } = draw()
    expect(() => parseAnchor({ ...anchorOf(pin), owner })).toThrow(/its own pin/)
  })
})

describe('refreshAnchors', () => {
  it('takes over keys that the ones before have promised, and holds on to the old ones otherwise', async () => {
    const [first, second, third] = [draw(), draw(), draw()]
    const later = setOf(second)
    const site = createSite(setOf(first, hashOwnerKeySet(later)))
    const pin = hashOwnerKeySet(setOf(first, hashOwnerKeySet(later)))
    const anchors = createAnchors(await resolveAnchors([anchorOf(pin)], site.resolver))
    site.publish(setOf(third))
    expect(await refreshAnchors(anchors, site.resolver)).toMatchObject([
      { owner: did, error: { code: 'identity.pin-mismatch' } },
    ])
    expect(anchors.keysOf(did)).toEqual([first.did])
    site.publish(undefined)
    expect(await refreshAnchors(anchors, site.resolver)).toHaveLength(1)
    expect(anchors.keysOf(did)).toEqual([first.did])
    site.publish(later)
    expect(await refreshAnchors(anchors, site.resolver)).toEqual([])
    expect(anchors.keysOf(did)).toEqual([second.did])
    expect(await refreshAnchors(anchors, site.resolver)).toEqual([])
  })
})

describe('an owner with a did:web', () => {
  it('vouches for credentials, chains and orders, and nobody is asked when they are verified', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-web-'))
    try {
      const clock = createManualClock()
      await using site = await startTestSite((_, response) => {
        void readFile(join(dir, 'did.json')).then((text) => response.end(text))
      })
      const owner = site.did('acme.test') as Did
      const { keySet: _, ...published } = await initFileIssuer({ dir, alias: 'acme', did: owner, clock, random })
      const resolver = createWebResolver({ clock, ...site.options })
      const anchors = createAnchors(await resolveAnchors([published], resolver))
      expect(site.asked).toEqual(['acme.test'])
      const issuer = await openFileIssuer({ dir, clock, random })
      await renewIssuerStatement({ dir, clock })
      const instance = draw()
      const issued = await issuer.issue({
        name: 'acme/trips',
        instance: instance.did,
        serves: [],
        calls: ['flights:*'],
      })
      const nowMs = clock.now()
      const verdict = verifyCredential(issued, { anchors, instance: instance.did, nowMs })
      expect(verdict).toMatchObject({ kind: 'allow', credential: { owner, name: 'acme/trips' } })
      const trips = { owner, name: 'acme/trips' } as const
      const root = await issuer.delegate({ to: 'acme/trips', capabilities: ['flights:reserve'], forMs: 60_000 })
      expect(verifyDelegationChain(root, { anchors, nowMs, delegate: trips })).toMatchObject({
        kind: 'allow',
        chain: { root: owner },
      })
      const desk = { owner, name: 'acme/desk' } as const
      const terms = {
        id: 'x',
        delegate: desk,
        capabilities: ['flights:reserve'],
        notBeforeMs: nowMs,
        expiresAtMs: nowMs + 30_000,
      }
      const chain = await extendDelegation(root, terms, { signer: instance, agent: trips, ...issued })
      expect(verifyDelegationChain(chain, { anchors, nowMs, delegate: desk }).kind).toBe('allow')
      const book = createOrderBook({ anchors })
      const order = { sequence: 1, kind: 'revoke', subject: instance.did, issuedAtMs: nowMs } as const
      expect(book.accept(await signOrder(await openOwner({ dir, clock }), order), nowMs).kind).toBe('allow')
      const checked = verdict.kind === 'allow' ? book.check(verdict.credential) : verdict
      expect(checked).toMatchObject({ code: 'identity.revoked' })
      expect(site.asked).toEqual(['acme.test'])
    } finally {
      await rm(dir, { recursive: true })
    }
  })

  it('is not spoken for by a key that is none of its own', async () => {
    const [right, wrong] = [draw(), draw()]
    const site = createSite(setOf(right))
    const anchors = createAnchors(await resolveAnchors([anchorOf(hashOwnerKeySet(setOf(right)))], site.resolver))
    const nowMs = 1_000_000_000_000
    const delegate = { owner: did, name: 'acme/trips' } as const
    const terms = { id: 'x', delegate, capabilities: ['a:b'], notBeforeMs: nowMs, expiresAtMs: nowMs + 60_000 }
    const forged = await signDelegation({ did, sign: wrong.sign }, terms)
    expect(verifyDelegationChain(forged, { anchors, nowMs, delegate })).toMatchObject({ code: 'delegation.invalid' })
    const sound = await signDelegation({ did, sign: right.sign }, terms)
    expect(verifyDelegationChain(sound, { anchors, nowMs, delegate }).kind).toBe('allow')
    expect(verifyDelegationChain(sound, { anchors: createAnchors([]), nowMs, delegate }).kind).toBe('deny')
    const order = await signOrder(
      { did, sign: wrong.sign },
      { sequence: 1, kind: 'kill', subject: 'acme/trips', issuedAtMs: nowMs },
    )
    expect(createOrderBook({ anchors }).accept(order, nowMs)).toMatchObject({ code: 'identity.signature-invalid' })
  })
})

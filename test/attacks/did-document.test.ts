import { createKeySigner, createOwnerKeySet, formatDidDocument, generateSeed } from '@parley/identity'
import type { NodeOptions } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { shop, soundServes } from '../integration/shop.ts'
import { openAttackLab } from './attack-lab.ts'
import { refusedWith, type Impact } from './impact.ts'
import { resign } from './tokens.ts'

type Document = ReturnType<typeof formatDidDocument>

const partner = 'did:web:partner.example'
const hourMs = 3_600_000
/** The identity point: with it, S = 0 and R = itself are a signature of everything, if nobody looks at the key. */
const identity = { multibase: 'z6MkeXATEjyXENzBXBxgC5EHk2JE5aqd7qMGGtDpLUH1e2Sj', x: `AQ${'A'.repeat(41)}` } as const
const forgedSignature = Buffer.concat([Buffer.of(1), Buffer.alloc(63)]).toString('base64url')

/** A DID document with one assertion method of any kind. */
const documentWith = (method: object): Document =>
  ({
    id: partner,
    assertionMethod: [{ id: `${partner}#1`, controller: partner, ...method }],
  }) as unknown as Document

describe('a DID document', () => {
  it('small-order key in a DID document: changes no key of a running node, and starts none', async () => {
    const quiet = { heartbeatMs: 600_000 }
    await using lab = await openAttackLab({ counter: quiet, desk: quiet })
    const { random, issuer, clock } = lab.mesh
    const [owner, key] = [createKeySigner(generateSeed(random)), createKeySigner(generateSeed(random))]
    let document = formatDidDocument(partner, createOwnerKeySet({ threshold: 1, keys: [owner.did] }))
    const didResolver: NonNullable<NodeOptions['didResolver']> = {
      resolve: () =>
        Promise.resolve({ didDocument: document, didResolutionMetadata: {}, didDocumentMetadata: {} } as never),
    }
    const anchors = [
      issuer.anchor,
      { owner: partner, alias: 'globex', issues: ['globex/*'], roots: 'all', pin: 'off' },
    ] as const
    const serves = {
      ...quiet,
      anchors,
      didResolver,
      serves: [shop],
      serve: (one: typeof lab.counter) => {
        one.serve(shop, soundServes)
      },
    }
    const node = await lab.mesh.node('acme/broad', serves)
    const tokens = async (): Promise<{ readonly credential: string; readonly statement: string }> => {
      const iat = Math.floor(clock.now() / 1_000)
      const times = { iat, exp: iat + 600 }
      const names = { iss: partner, issuer: key.did, names: ['globex/*'] }
      const { credential, statement } = lab.rogue.issued
      return {
        statement: await resign(statement, owner, { claims: { ...times, ...names } }),
        credential: await resign(credential, key, {
          claims: { ...times, nbf: iat, iss: key.did, name: 'globex/rogue' },
        }),
      }
    }
    const greet = (shown: object): Promise<Impact> =>
      lab.attack(() => lab.rogue.send(node.instance, lab.rogue.hello({ ...shown })), node)
    document = documentWith({ type: 'Multikey', publicKeyMultibase: identity.multibase })
    await clock.advance(hourMs)
    const { credential, statement } = await tokens()
    const [head = '', claims = ''] = statement.split('.')
    const forged = { credential, statement: `${head}.${claims}.${forgedSignature}` }
    expect(await greet(forged)).toEqual(refusedWith('identity.signature-invalid', 1, { answers: 1 }))
    // The key that it had is the key that it has.
    expect(await greet({ credential, statement })).toMatchObject({ codes: [], answers: 1, checks: 3 })
    const unsafe = { code: 'identity.key-unsafe' }
    await expect(lab.mesh.node('acme/late', serves)).rejects.toMatchObject(unsafe)
    document = documentWith({ type: 'JsonWebKey', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: identity.x } })
    await expect(lab.mesh.node('acme/late', serves)).rejects.toMatchObject(unsafe)
  })
})

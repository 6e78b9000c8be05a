import { createAnchors, createLocalIssuer, generateInstanceKeys } from '@parley/identity'
import { createManualClock, createSeededRandom, silentLogger, type CredentialRequest } from '@parley/ports'
import type { AgentName, ErrorCode, InstanceDid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { serveIssuer } from './serve-issuer.ts'

/** An issuer, and a way to ask it for a renewal as a caller whose hop has proven name and instance. */
function open() {
  const clock = createManualClock()
  const random = createSeededRandom(9)
  const person = { serves: [], calls: ['shop:*'], human: 2 } as const
  const desk = { serves: [], calls: ['shop:*'] }
  const allow = { 'acme/desk': desk, 'acme/other': desk, 'acme/ann': person }
  const acme = createLocalIssuer({ alias: 'acme', clock, random, allow })
  const serves = serveIssuer({
    issuer: acme,
    owner: acme.owner,
    anchors: createAnchors([acme.anchor]),
    attestors: [],
    clock,
    renewGraceMs: 60_000,
    comeBack: {
      first: () => Promise.resolve({ kind: 'allow', granted: undefined }),
      again: () => Promise.resolve(undefined),
    },
    logger: silentLogger,
  })
  const [own, other] = [generateInstanceKeys(random), generateInstanceKeys(random)]
  const issue = (more: Partial<CredentialRequest> = {}) =>
    acme.issue({ name: 'acme/desk', instance: own.signer.did, serves: [], calls: ['shop:buy'], ...more })
  const renew = async (
    { credential, statement }: { readonly credential: string; readonly statement: string },
    more: { readonly nkey?: string; readonly calls?: readonly string[] } = {},
    caller: { readonly name: AgentName; readonly instance: InstanceDid } = {
      name: 'acme/desk',
      instance: own.signer.did,
    },
  ): Promise<string> => {
    const hop = { id: 'hop', caller, refuse: (code: ErrorCode) => ({ code }) }
    const { renew: serve } = serves
    if (typeof serve !== 'function') throw new TypeError('a renewal has no undo')
    const answer = await serve({ serves: [], calls: ['shop:buy'], ...more, credential, statement }, hop as never)
    return 'code' in answer ? String(answer.code) : 'given'
  }
  return { clock, own, other, issue, renew }
}

describe('serveIssuer', () => {
  it('renews to the instance and the name of the credential, for no more than it grants', async () => {
    const { clock, own, other, issue, renew } = open()
    const issued = await issue()
    const mismatch = 'identity.credential-mismatch'
    expect(await renew(issued)).toBe('given')
    expect(await renew(issued, { calls: ['shop:look'] })).toBe('identity.issuer-refused')
    expect(await renew(issued, {}, { name: 'acme/other', instance: own.signer.did })).toBe(mismatch)
    expect(await renew(issued, {}, { name: 'acme/desk', instance: other.signer.did })).toBe(mismatch)
    await clock.advance(15 * 60_000 + 30_000)
    expect(await renew(issued)).toBe('given')
    await clock.advance(60_000)
    expect(await renew(issued)).toBe('identity.credential-expired')
  })

  it('renews a credential with the NATS user that it binds, and with no other', async () => {
    const { own, other, issue, renew } = open()
    const bound = await issue({ nkey: own.nkey.nkey })
    expect(await renew(bound, { nkey: own.nkey.nkey })).toBe('given')
    expect(await renew(bound, { nkey: other.nkey.nkey })).toBe('identity.credential-mismatch')
    expect(await renew(bound)).toBe('identity.credential-mismatch')
    expect(await renew(await issue(), { nkey: own.nkey.nkey })).toBe('identity.credential-mismatch')
  })

  it('renews no credential of a person, who signs in again', async () => {
    const { own, issue, renew } = open()
    const ann = await issue({ name: 'acme/ann' })
    expect(await renew(ann, {}, { name: 'acme/ann', instance: own.signer.did })).toBe('identity.issuer-refused')
  })
})

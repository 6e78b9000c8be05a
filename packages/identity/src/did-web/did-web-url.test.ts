import { describe, expect, it } from 'vitest'
import { decideWebUrl, isOwnerDid, isWebDid } from './did-web-url.ts'

describe('decideWebUrl', () => {
  it.each([
    ['did:web:acme.example', 'https://acme.example/.well-known/did.json'],
    ['did:web:acme.example%3A8443', 'https://acme.example:8443/.well-known/did.json'],
    ['did:web:acme.example:owners:one', 'https://acme.example/owners/one/did.json'],
  ])('finds the document of %s', (did, url) => {
    const verdict = decideWebUrl(did)
    expect(verdict.kind === 'allow' && verdict.url.href).toBe(url)
    expect(isWebDid(did) && isOwnerDid(did)).toBe(true)
  })

  it.each([
    'did:web:',
    'did:web:localhost',
    'did:web:127.0.0.1',
    'did:web:2130706433',
    'did:web:0x7f.1',
    'did:web:[::1]',
    'did:web:ACME.example',
    'did:web:acme.example.',
    'did:web:acme..example',
    'did:web:user@acme.example',
    'did:web:user%40acme.example',
    'did:web:acme.example%2Fx',
    'did:web:acme.example%3A',
    'did:web:acme.example%3A0',
    'did:web:acme.example%3A99999',
    'did:web:acme.example%3a443',
    'did:web:acme.example%3A443%3A80',
    'did:web:acme.example:..',
    'did:web:acme.example:.',
    'did:web:acme.example:a%2Fb',
    'did:web:acme.example::a',
    'did:web:acme.example:a?b',
    'did:web:acme.example#key',
    'did:web:acme.example/path',
    'did:web:xn--',
    'did:web:acme.example\n',
    `did:web:acme.example:${'a/'.repeat(300)}`,
    'did:example:acme',
  ])('refuses %s', (did) => {
    expect(decideWebUrl(did)).toMatchObject({ kind: 'deny', code: 'identity.did-invalid' })
    expect(isOwnerDid(did)).toBe(false)
  })
})

import { createAnchors, createLocalIssuer, generateInstanceKeys } from '@parley/identity'
import { createManualClock, createSeededRandom, silentLogger, type CredentialRequest } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createOwnCredential } from './own-credential.ts'

/** Asks an issuer that gives something else than it is asked for. */
function open(change: (asked: CredentialRequest, other: ReturnType<typeof generateInstanceKeys>) => CredentialRequest) {
  const clock = createManualClock()
  const random = createSeededRandom(7)
  const acme = createLocalIssuer({ alias: 'acme', clock, random })
  const [keys, other] = [generateInstanceKeys(random), generateInstanceKeys(random)]
  return createOwnCredential({
    issuer: { issue: (asked) => acme.issue(change(asked, other)) },
    anchors: createAnchors([acme.anchor]),
    clock,
    logger: silentLogger,
    name: 'acme/desk',
    instance: keys.signer.did,
    serves: [],
    calls: [],
    nkey: keys.nkey.nkey,
  })
}

describe('createOwnCredential', () => {
  it('I1: takes what it asked for', async () => {
    const own = open((asked) => asked)
    await own.start()
    expect(own.verified()).toMatchObject({ name: 'acme/desk' })
    own.stop()
  })

  it.each([
    ['of another name', (asked: CredentialRequest) => ({ ...asked, name: 'acme/other' as const })],
    [
      'that binds the NATS user of another',
      (asked: CredentialRequest, other: ReturnType<typeof generateInstanceKeys>) => ({
        ...asked,
        nkey: other.nkey.nkey,
      }),
    ],
    [
      'of another instance',
      (asked: CredentialRequest, other: ReturnType<typeof generateInstanceKeys>) => ({
        ...asked,
        instance: other.signer.did,
      }),
    ],
  ])('I1: takes no credential %s', async (_what, change) => {
    const own = open(change)
    await expect(own.start()).rejects.toMatchObject({ code: 'identity.credential-mismatch' })
    expect(() => own.verified()).toThrow('no credential yet')
  })
})

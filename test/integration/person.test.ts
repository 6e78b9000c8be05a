import { createGivenIssuer, createLocalIssuer } from '@parley/identity'
import type { CredentialRequest } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { endOf } from './agency.ts'
import { openShop, shop } from './shop.ts'

describe('a node that a person runs', () => {
  it('acts as a person for as long as it is signed in, and renews nothing', async () => {
    await using open = await openShop()
    const { clock, random, bus } = open.mesh
    const human = { serves: [], calls: ['shop:*'], human: 2 } as const
    const staff = createLocalIssuer({
      alias: 'staff',
      clock,
      random,
      credentialMs: 60_000,
      allow: { 'staff/ann': human },
    })
    const asked: CredentialRequest[] = []
    const issuer = {
      async issue(request: CredentialRequest) {
        asked.push(request)
        return createGivenIssuer(await staff.issue({ ...request, calls: ['shop:*'] })).issue(request)
      },
    }
    const anchors = [open.mesh.issuer.anchor, staff.anchor]
    await open.mesh.node('acme/desk-2', {
      anchors,
      serves: [shop],
      serve: (node) => {
        node.serve(shop, {
          look: () => ({ cents: 1 }),
          buy: () => ({ receipt: '' }),
          burn: () => ({}),
          wipe: () => ({}),
        })
      },
    })
    const ann = await open.mesh.node('staff/ann', {
      issuer,
      anchors,
      transport: bus.connect(),
      calls: shop.capabilities,
    })
    const wipe = async (): Promise<string> =>
      endOf(await ann.tryCall(shop.wipe, {}, { to: 'acme/desk-2', deadlineMs: 2_000 }))
    expect(await wipe()).toBe('ok')
    await clock.advance(55_000)
    expect(await wipe()).toBe('ok')
    await clock.advance(5_000)
    expect(await wipe()).toBe('identity.credential-expired')
    expect(asked).toHaveLength(1)
    expect(ann.health()).toMatchObject({ ready: false, reasons: ['the credential is expired'] })
  })
})

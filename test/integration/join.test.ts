import { formatJoinToken } from '@parley/identity'
import { describe, expect, it } from 'vitest'
import { openIssuedMesh } from './issued-mesh.ts'
import { shop, soundServes } from './shop.ts'
import { readHeaders, tapWire } from './wire.ts'

const calls = [shop.look, shop.buy]

describe('joinMesh', () => {
  it('gives a process without a credential one, with which it serves and calls', async () => {
    await using mesh = await openIssuedMesh()
    const issuer = await mesh.openIssuer()
    const counter = await mesh.node('acme/shop', { serves: [shop] })
    counter.serve(shop, soundServes)
    const desk = await mesh.node('acme/desk', { calls })
    await mesh.start(counter)
    await mesh.start(desk)
    expect(await desk.tryCall(shop.buy, { item: 'lamp' })).toMatchObject({
      kind: 'ok',
      output: { receipt: 'lamp for acme/desk' },
    })
    await mesh.clock.settle()
    expect(mesh.records.get(issuer)?.filter(({ kind }) => kind === 'hop')).toMatchObject([
      { capability: 'issuer:issue', peer: 'acme/shop', outcome: 'ok' },
      { capability: 'issuer:issue', peer: 'acme/desk', outcome: 'ok' },
    ])
  })

  it('shows the evidence of a newcomer to its issuer alone, and the key of the token to nobody', async () => {
    await using mesh = await openIssuedMesh()
    await mesh.openIssuer()
    const token = await mesh.token('acme/desk')
    const wire = tapWire(mesh.bus)
    const desk = await mesh.node('acme/desk', { calls, token })
    await mesh.start(desk)
    const headers = wire.headers()
    const ofDesk = headers.filter(({ from }) => from === desk.instance)
    expect(ofDesk[0]).toMatchObject({ type: 'event', to: 'who' })
    const grant = joinedGrant(token)
    const carriers = headers.filter((header) => JSON.stringify(header).includes(grant))
    expect(carriers.map(({ type, from }) => [type, from])).toEqual([['hello', desk.instance]])
    const seed = JSON.parse(Buffer.from(token.slice('parley-join-1.'.length), 'base64url').toString()) as {
      seed: string
    }
    expect(JSON.stringify(headers)).not.toContain(seed.seed)
  })

  it('lets no second instance in, not even after the issuer restarted', async () => {
    await using mesh = await openIssuedMesh()
    const issuer = await mesh.openIssuer()
    const token = await mesh.token('acme/desk')
    await mesh.start(await mesh.node('acme/desk', { calls, token }))
    const second = await mesh.node('acme/desk', { calls, token })
    await expect(mesh.start(second)).rejects.toMatchObject({ code: 'identity.join-token-used' })
    await mesh.close(issuer)
    await mesh.openIssuer()
    const third = await mesh.node('acme/desk', { calls, token })
    await expect(mesh.start(third)).rejects.toMatchObject({ code: 'identity.join-token-used' })
  })

  it('lets one of many in that come with one token at the same time', async () => {
    await using mesh = await openIssuedMesh()
    await mesh.openIssuer()
    const token = await mesh.token('acme/desk')
    const nodes = await Promise.all(Array.from({ length: 8 }, () => mesh.node('acme/desk', { calls, token })))
    const ends = Promise.allSettled(nodes.map((node) => node.start()))
    for (let second = 0; second < 15; second++) await mesh.clock.advance(1_000)
    const settled = await ends
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const codes = settled.map((end) =>
      end.status === 'rejected' ? (end.reason as { readonly code: string }).code : 'in',
    )
    expect(codes.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'identity.join-token-used'), 'in'])
  })

  it('asks again with the same token when the answer was lost', async () => {
    await using mesh = await openIssuedMesh()
    const issuer = await mesh.openIssuer()
    const desk = await mesh.node('acme/desk', { calls })
    let lost = 0
    mesh.bus.inject({
      kind: 'drop',
      when: (unit) => {
        const isAnswer = readHeaders(unit).some(({ type, from }) => type === 'reply' && from === issuer.instance)
        if (isAnswer) lost += 1
        return isAnswer && lost === 1
      },
    })
    await mesh.start(desk)
    expect(lost).toBe(2)
    expect(desk.health().ready).toBe(true)
  })

  it('refuses what is asked for beyond the token, whose name is another, and which is too old', async () => {
    await using mesh = await openIssuedMesh()
    await mesh.openIssuer()
    const narrow = await mesh.node('acme/desk', {
      calls,
      token: await mesh.token('acme/desk', { calls: ['shop:look'], serves: [] }),
    })
    await expect(mesh.start(narrow)).rejects.toMatchObject({ code: 'identity.issuer-refused' })
    const other = await mesh.node('acme/boss', { calls, token: await mesh.token('acme/desk') })
    await expect(mesh.start(other)).rejects.toMatchObject({ code: 'identity.join-token-invalid' })
    const old = await mesh.token('acme/desk', { lifeMs: 60_000 })
    await mesh.clock.advance(121_000)
    const late = await mesh.node('acme/desk', { calls, token: old })
    await expect(mesh.start(late)).rejects.toMatchObject({ code: 'identity.jwt-expired' })
  })

  it('refuses a token that an order took back, by its id', async () => {
    await using mesh = await openIssuedMesh()
    const { id, token } = await mesh.acme.joinToken({ name: 'acme/desk' })
    await mesh.openIssuer({ orders: [await mesh.acme.order('revoke', id)] })
    const desk = await mesh.node('acme/desk', { calls, token: formatJoinToken(token) })
    await expect(mesh.start(desk)).rejects.toMatchObject({ code: 'identity.revoked' })
  })

  it('says that the issuer is away, after it has waited', async () => {
    await using mesh = await openIssuedMesh()
    const desk = await mesh.node('acme/desk', { calls })
    await expect(mesh.start(desk)).rejects.toMatchObject({ code: 'identity.issuer-unavailable' })
  })

  it("is decided by the issuer's own documents too: what they do not allow lets nobody in, and the record says which", async () => {
    await using mesh = await openIssuedMesh()
    const closed = (rules: string) => [
      { file: 'closed.yaml', text: `apiVersion: parley/v1\nname: closed\ndefault: deny\nrules: ${rules}\n` },
    ]
    const issuer = await mesh.openIssuer({ policy: closed('[]') })
    await expect(mesh.start(await mesh.node('acme/desk'))).rejects.toMatchObject({
      code: 'policy.denied',
    })
    expect(mesh.records.get(issuer)?.filter(({ kind }) => kind === 'hop')).toMatchObject([
      { capability: 'issuer:issue', code: 'policy.denied', rule: 'closed#default' },
    ])
    await issuer.reloadPolicy(closed("[{ name: door, when: action.startsWith('issuer:'), effect: allow }]"))
    await mesh.start(await mesh.node('acme/desk'))
  })

  it('waits for an issuer that starts later', async () => {
    await using mesh = await openIssuedMesh()
    const desk = await mesh.node('acme/desk', { calls })
    const started = desk.start()
    await mesh.clock.advance(3_000)
    await mesh.openIssuer()
    await started
    expect(desk.health().ready).toBe(true)
  })
})

function joinedGrant(token: string): string {
  const body = JSON.parse(Buffer.from(token.slice('parley-join-1.'.length), 'base64url').toString()) as {
    readonly grant: string
  }
  return body.grant
}

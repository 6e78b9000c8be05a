import type { MeshNode, Outcome } from '@parley/mesh'
import type { PolicySource } from '@parley/policy'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { endOf } from './agency.ts'
import { createRogue } from './rogue.ts'
import { shop, soundServes } from './shop.ts'

const minute = 60_000
const kinds = ['kill', 'quarantine'] as const
const codeOf = { kill: 'identity.revoked', quarantine: 'identity.quarantined' } as const
/** Whoever was killed is no provider any more. */
const asCallee = { kill: 'mesh.no-provider', quarantine: 'identity.quarantined' } as const

/** Allows by name what is asked in these tests, so that a policy decides every hop. */
const house: PolicySource = {
  file: 'house.yaml',
  text: `apiVersion: parley/v1
name: house
default: deny
rules:
  - { name: shopping, when: "action in ['shop:buy', 'shop:look']", effect: allow }
`,
}

type Between = (mesh: TestMesh, nodes: { readonly b: MeshNode }) => Promise<void>

/** A asks B to buy, and B asks C to look; both by a policy, on both sides. `between` happens while B serves. */
async function openChain(mesh: TestMesh, between: Between = () => Promise.resolve()) {
  const looked: string[] = []
  const aborted: boolean[] = []
  const policy = [house]
  const c = await mesh.node('acme/c', {
    policy,
    serves: [shop],
    serve: (node) => {
      node.serve(shop, { ...soundServes, look: ({ item }) => (looked.push(item), { cents: 5 }) })
    },
  })
  const b: MeshNode = await mesh.node('acme/b', {
    policy,
    serves: [shop],
    calls: [shop.look],
    serve: (node) => {
      node.serve(shop, {
        ...soundServes,
        buy: async ({ item }, hop) => {
          await between(mesh, { b })
          aborted.push(hop.signal.aborted)
          const told = await hop.tryCall(shop.look, { item }, { to: 'acme/c', authority: 'own', deadlineMs: 5_000 })
          return { receipt: endOf(told) }
        },
      })
    },
  })
  const a = await mesh.node('acme/a', { policy, calls: [shop.buy] })
  const buy = async (): Promise<Outcome<{ readonly receipt: string }>> => {
    const asking = a.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/b', deadlineMs: 10_000 })
    // Whoever was killed has left the directory: a caller waits for another instance until its patience ends.
    await mesh.clock.advance(6_000)
    await mesh.clock.advance(6_000)
    return asking
  }
  return { a, b, c, looked, aborted, buy }
}

const give = (mesh: TestMesh, kind: (typeof kinds)[number], subject: string): Promise<string> =>
  mesh.issuer.order(kind, subject, kind === 'quarantine' ? { untilMs: mesh.clock.now() + minute } : {})

describe.each(kinds)('an order of %s, where a policy allows', (kind) => {
  it('holds at the next hop of whoever would ask, at the caller, the sub-orchestrator and the last callee', async () => {
    for (const [subject, refusedAt, code] of [
      ['acme/a', 'acme/a', codeOf[kind]],
      ['acme/b', 'acme/a', asCallee[kind]],
      ['acme/c', 'acme/b', asCallee[kind]],
    ] as const) {
      await using mesh = createTestMesh({ seed: 91 })
      const { a, b, c, looked, buy } = await openChain(mesh)
      expect(await buy()).toMatchObject({ kind: 'ok', output: { receipt: 'ok' } })
      await a.acceptOrder(await give(mesh, kind, subject))
      await mesh.clock.settle()
      const outcome = await buy()
      expect(outcome.kind === 'ok' ? outcome.output.receipt : endOf(outcome), subject).toBe(code)
      expect(looked, subject).toHaveLength(1)
      await mesh.clock.settle()
      const refused = [a, b, c]
        .flatMap((node) => mesh.recordsOf(node).map((record) => ({ ...record, node: node.name })))
        .filter((record: Readonly<Record<string, unknown>>) => record['kind'] === 'hop' && record['code'] === code)
      expect(refused, subject).toMatchObject([{ node: refusedAt, side: 'caller', sent: false }])
    }
  })

  it('is what its subject is told, not that nobody serves; others reach the same peer', async () => {
    await using mesh = createTestMesh({ seed: 95 })
    const { c } = await openChain(mesh)
    await c.acceptOrder(await give(mesh, kind, 'acme/late'))
    const late = await mesh.node('acme/late', { calls: [shop.look] })
    const other = await mesh.node('acme/other', { policy: [house], calls: [shop.look] })
    await mesh.clock.advance(1_000)
    const look = (node: MeshNode, to: 'acme/c' | 'acme/nobody') => {
      const told = node.tryCall(shop.look, { item: 'lamp' }, { to })
      return mesh.clock.advance(2_000).then(() => told)
    }
    for (const to of ['acme/c', 'acme/nobody'] as const)
      expect(await look(late, to), to).toMatchObject({ kind: 'refused', code: codeOf[kind], hop: { sent: false } })
    expect(await late.can(shop.look, { item: 'lamp' }, { to: 'acme/nobody' })).toMatchObject({ code: codeOf[kind] })
    expect(endOf(await look(other, 'acme/c'))).toBe('ok')
    expect(endOf(await look(other, 'acme/nobody'))).toBe('mesh.no-provider')
  })

  it('holds at the callee against a caller that heeds none', async () => {
    await using mesh = createTestMesh({ seed: 92 })
    const { b, looked } = await openChain(mesh)
    const rogue = await createRogue(mesh, 'acme/rogue', { calls: ['shop:buy'] })
    const session = await rogue.shake(b.instance)
    let counter = 0
    const ask = async (): Promise<string> => {
      const more = { header: { to: b.instance }, body: { item: 'lamp' } }
      await rogue.send(b.instance, rogue.request(session, ++counter, shop.buy, more))
      await mesh.clock.settle()
      const { outcome } = rogue.last().body as { readonly outcome: { readonly kind: string; readonly code?: string } }
      return outcome.code ?? outcome.kind
    }
    expect(await ask()).toBe('ok')
    await b.acceptOrder(await give(mesh, kind, 'acme/rogue'))
    expect(await ask()).not.toBe('ok')
    expect(looked).toHaveLength(1)
    const last = mesh.recordsOf(b).findLast((record) => record.kind === 'hop' || record.kind === 'rejected')
    expect(last?.kind === 'hop' ? last['stage'] : last?.kind).not.toBe('policy')
  })

  it('against the next agent comes while a sub-orchestrator serves, and nothing is delivered there', async () => {
    await using mesh = createTestMesh({ seed: 93 })
    const { looked, buy } = await openChain(mesh, async (on, { b }) => {
      await b.acceptOrder(await give(on, kind, 'acme/c'))
    })
    expect(await buy()).toMatchObject({ kind: 'ok', output: { receipt: asCallee[kind] } })
    expect(looked).toEqual([])
  })

  it('against the sub-orchestrator itself comes while it serves, and it asks nobody any more', async () => {
    await using mesh = createTestMesh({ seed: 94 })
    const { looked, aborted, buy } = await openChain(mesh, async (on, { b }) => {
      await b.acceptOrder(await give(on, kind, 'acme/b'))
    })
    await buy()
    expect(looked).toEqual([])
    // A killed node lets go of what it serves; one in quarantine may finish what was begun.
    expect(aborted).toEqual([kind === 'kill'])
  })
})

import {
  createKeySigner,
  formatDidDocument,
  generateSeed,
  parseAnchor,
  signOrder,
  type KeySigner,
} from '@parley/identity'
import type { NodeOptions } from '@parley/mesh'
import type { Did } from '@parley/protocol'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { createRogue } from './rogue.ts'
import { shop, soundServes } from './shop.ts'

type Resolver = NonNullable<NodeOptions['didResolver']>
const owner: Did = 'did:web:webco.example'

interface RotatingOwner {
  /** Signs a revocation with a key that the node does not know yet. */
  sign(sequence: number, subject: string): Promise<string>
  /** Lets the node fetch the new key, at its next hour. */
  rotate(): Promise<void>
  /** Orders that the node took, as `owner subject`. */
  taken(): Promise<readonly string[]>
}

async function openOwner(mesh: TestMesh): Promise<RotatingOwner> {
  const signer = (): KeySigner => createKeySigner(generateSeed(mesh.random))
  const [old, fresh] = [signer(), signer()]
  let keys = [old.did]
  const didResolver: Resolver = {
    resolve: () =>
      Promise.resolve({
        didDocument: formatDidDocument(owner, { threshold: 1, keys: keys.toSorted() }) as never,
        didResolutionMetadata: {},
        didDocumentMetadata: {},
      }),
  }
  const anchor = parseAnchor({ owner, alias: 'webco', pin: 'off', issues: ['webco/*'], roots: 'all' })
  const node = await mesh.node('acme/shop', {
    anchors: [mesh.issuer.anchor, anchor],
    didResolver,
    serves: [shop],
    serve: (one) => one.serve(shop, soundServes),
  })
  return {
    sign: (sequence, subject) =>
      signOrder(
        { did: owner, sign: fresh.sign },
        {
          sequence,
          kind: 'revoke',
          subject,
          issuedAtMs: mesh.clock.now(),
          ...(sequence > 1 && { previous: 'p'.repeat(43) }),
        },
      ),
    async rotate() {
      keys = [old.did, fresh.did]
      for (let minute = 0; minute < 61; minute++) await mesh.clock.advance(60_000)
    },
    async taken() {
      await mesh.clock.settle()
      const orders = mesh.recordsOf(node).filter(({ kind }) => kind === 'order')
      return orders.map(({ owner: of, subject }) => `${String(of)} ${String(subject)}`)
    },
  }
}

describe('orders of an owner that changed its keys', () => {
  it('are obeyed once the new key is known here, also if they came before', async () => {
    await using mesh = createTestMesh({ seed: 91 })
    const { sign, rotate, taken } = await openOwner(mesh)
    const order = await sign(1, 'webco/bot')
    await (await createRogue(mesh, 'acme/carrier')).emit('orders', { orders: [order], heads: [] })
    expect(await taken()).toEqual([])
    await rotate()
    await (await createRogue(mesh, 'acme/carrier-two')).emit('orders', { orders: [order], heads: [] })
    expect(await taken()).toEqual([`${owner} webco/bot`])
  })

  it('hide no order of another owner in what an honest peer tells', async () => {
    await using mesh = createTestMesh({ seed: 92 })
    const { sign, taken } = await openOwner(mesh)
    const unknown = await Promise.all([1, 2, 3, 4].map((at) => sign(at, `webco/bot-${String(at)}`)))
    const orders = [...unknown, await mesh.issuer.order('revoke', 'acme/thief')]
    await (await createRogue(mesh, 'acme/carrier')).emit('orders', { orders, heads: [] })
    expect(await taken()).toEqual([`${mesh.issuer.owner} acme/thief`])
  })
})

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashOwnerKeySet, initFileIssuer, openFileIssuer, parseAnchor, type OwnerKeySet } from '@parley/identity'
import type { NodeOptions } from '@parley/mesh'
import { createTestMesh } from '@parley/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shop, soundServes } from './shop.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-web-owner-'))
})
afterEach(async () => {
  await rm(dir, { recursive: true })
})

type Resolver = NonNullable<NodeOptions['didResolver']>

describe('a node whose owners are did:webs', () => {
  it('fetches their keys before it starts and never for a call', async () => {
    await using mesh = createTestMesh()
    const { clock, random } = mesh
    const { keySet, ...anchor } = await initFileIssuer({
      dir,
      alias: 'acme',
      did: 'did:web:acme.example',
      clock,
      random,
    })
    const issuer = await openFileIssuer({ dir, clock, random })
    const asked: string[] = []
    const didResolver: Resolver = {
      async resolve(did) {
        asked.push(did)
        const didDocument = JSON.parse(await readFile(join(dir, 'did.json'), 'utf8')) as never
        return { didDocument, didResolutionMetadata: {}, didDocumentMetadata: {} }
      },
    }
    const common = { issuer, anchors: [parseAnchor(anchor)], didResolver }
    await mesh.node('acme/shop', { ...common, serves: [shop], serve: (node) => node.serve(shop, soundServes) })
    const desk = await mesh.node('acme/desk', { ...common, calls: [shop.buy] })
    expect(desk.owner).toBe('did:web:acme.example')
    expect(asked).toHaveLength(2)
    expect((await desk.tryCall(shop.buy, { item: 'lamp' })).kind).toBe('ok')
    expect(asked).toHaveLength(2)
    await writeFile(join(dir, 'did.json'), '{"id":"did:web:acme.example"}')
    await clock.advance(3_600_000)
    expect(asked).toHaveLength(4)
    expect((await desk.tryCall(shop.buy, { item: 'lamp' })).kind).toBe('ok')
    expect(anchor.pin).toBe(hashOwnerKeySet(keySet as OwnerKeySet))
  })

  it('are not created while the keys are not those of the pin, or cannot be fetched', async () => {
    await using mesh = createTestMesh()
    const { clock, random } = mesh
    const { keySet: _, ...anchor } = await initFileIssuer({
      dir,
      alias: 'acme',
      did: 'did:web:acme.example',
      clock,
      random,
    })
    const issuer = await openFileIssuer({ dir, clock, random })
    const didResolver: Resolver = {
      resolve: () =>
        Promise.resolve({ didDocument: null, didResolutionMetadata: { error: 'notFound' }, didDocumentMetadata: {} }),
    }
    const common = { issuer, didResolver }
    await expect(mesh.node('acme/desk', { ...common, anchors: [anchor] })).rejects.toMatchObject({
      code: 'identity.did-unresolvable',
    })
  })
})

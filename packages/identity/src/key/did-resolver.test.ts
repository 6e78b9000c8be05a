import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createDidResolver } from './did-resolver.ts'

const vectors = JSON.parse(
  readFileSync(new URL('../../../../protocol/vectors/third-party/did-key-ed25519.json', import.meta.url), 'utf8'),
) as Record<string, { readonly didDocument: { readonly id: string; readonly authentication: readonly string[] } }>

describe('createDidResolver', () => {
  it.each(Object.entries(vectors))('resolves %s to the key of the published document', async (did, { didDocument }) => {
    const resolved = await createDidResolver().resolve(did)
    expect(resolved.didDocument?.id).toBe(didDocument.id)
    expect(resolved.didDocument?.authentication).toEqual(didDocument.authentication)
  })

  it('answers invalidDid for a small-order key and notation that is not canonical', async () => {
    const [did = ''] = Object.keys(vectors)
    const resolver = createDidResolver()
    for (const bad of ['did:key:z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP1', did.replace('z6Mk', 'z16Mk')]) {
      const resolved = await resolver.resolve(bad)
      expect(resolved.didDocument).toBeNull()
      expect(resolved.didResolutionMetadata.error).toBe('invalidDid')
    }
  })
})

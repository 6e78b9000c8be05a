import { createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { type Anchor, createAnchors, parseAnchor } from './anchor.ts'

const random = createSeededRandom(1)
const createOwner = (): Anchor['owner'] => createKeySigner(generateSeed(random)).did
const acme: Anchor = { owner: createOwner(), alias: 'acme', issues: ['acme/*'], roots: 'all' }
const globex: Anchor = { owner: createOwner(), alias: 'globex', issues: ['globex/pay'], roots: ['pay:*'], ceiling: 800 }
const anchors = createAnchors([acme, globex])

describe('createAnchors', () => {
  it('finds an anchor by owner and by a name that its patterns cover', () => {
    expect(anchors.ofOwner(globex.owner)).toEqual(globex)
    expect(anchors.ofName('acme/flights')).toEqual(acme)
    expect(anchors.ofName('globex/pay')).toEqual(globex)
    expect(anchors.ofName('globex/other')).toBeUndefined()
    expect(anchors.ofName('acmeflights/x')).toBeUndefined()
    expect(anchors.ofOwner(createOwner())).toBeUndefined()
  })

  it.each([
    ['one alias for two owners', [acme, { ...globex, alias: 'acme', issues: ['acme/pay'] }]],
    ['one owner twice', [acme, { ...globex, owner: acme.owner }]],
    ['a pattern under the alias of another', [acme, { ...globex, issues: ['acme/pay'] }]],
  ])('refuses %s', (_, list) => {
    expect(() => createAnchors(list)).toThrow(expect.objectContaining({ code: 'identity.anchor-conflict' }))
  })

  it.each([
    ['a bare star in roots', { ...acme, roots: ['*'] }],
    ['missing roots', { owner: acme.owner, alias: 'acme', issues: ['acme/*'] }],
    ['a bare star in issues', { ...acme, issues: ['*'] }],
    ['an alias with a slash', { ...acme, alias: 'acme/x' }],
    ['an owner that is no did:key', { ...acme, owner: 'did:web:acme.example' }],
    ['a ceiling above 1000', { ...acme, ceiling: 1001 }],
    ['no object', 'acme'],
  ])('refuses %s', (_, value) => {
    expect(() => parseAnchor(value)).toThrow(expect.objectContaining({ code: 'identity.anchor-invalid' }))
  })
})

import { describe, expect, it } from 'vitest'
import { signingDomains } from './domain.ts'

describe('signingDomains', () => {
  const domains: readonly string[] = Object.values(signingDomains)

  it('are a closed list', () => {
    expect(domains).toEqual(['iatp/1/frame', 'parley/1/checkpoint', 'parley/1/evidence', 'jwt'])
  })

  it('are no prefixes of each other, nor of a token', () => {
    const bytes = [...domains.map((domain) => (domain === 'jwt' ? 'eyJ' : `${domain}\0`)), 'eyJ']
    for (const [at, one] of bytes.entries())
      for (const other of bytes.slice(at + 1).filter((text) => text !== one))
        expect(one.startsWith(other) || other.startsWith(one), `${one} and ${other}`).toBe(false)
  })
})

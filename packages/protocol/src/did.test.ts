import { describe, expect, it } from 'vitest'
import { formatAgentId, isAgentName } from './did.ts'

describe('isAgentName', () => {
  it.each(['acme/desk', 'a/b', 'acme-2/flights.eu_1'])('takes %s', (text) => {
    expect(isAgentName(text)).toBe(true)
  })

  it.each([
    '',
    'acme',
    'acme/',
    '/desk',
    'acme/desk/x',
    'Acme/desk',
    'acme/ desk',
    'acme/../x',
    'a.b/c',
    'acme/desk\n',
  ])('refuses %j', (text) => {
    expect(isAgentName(text)).toBe(false)
  })
})

describe('formatAgentId', () => {
  it('keeps owners apart that use the same name', () => {
    const ids = [
      formatAgentId({ owner: 'did:key:z6MkA', name: 'acme/desk' }),
      formatAgentId({ owner: 'did:key:z6MkB', name: 'acme/desk' }),
    ]
    expect(ids[0]).toBe('did:key:z6MkA acme/desk')
    expect(new Set(ids).size).toBe(2)
  })
})

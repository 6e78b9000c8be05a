import { describe, expect, it } from 'vitest'
import { brokerPermissions, type BrokerRole } from './broker-permission.ts'
import { listPermissions, scopedPlace } from './list-permissions.ts'

const place = { mesh: 'main', me: 'z6MkMe', agent: 'ab12', issuer: 'z6MkIssuer' }

describe('listPermissions', () => {
  it('fills in the mesh, the instance and its agent', () => {
    const { publish, subscribe } = listPermissions('instance', place)
    expect(publish).toContain('iatp.1.main.*.z6MkMe')
    expect(subscribe).toContain('iatp.1.main.z6MkMe.*')
    expect(subscribe).toContain('iatp.1.main.mailbox.ab12.*')
    expect([...publish, ...subscribe].join(' ')).not.toMatch(/[{}]/)
  })

  it('lets an instance publish nothing that does not end in its own token, but answers to the services API', () => {
    const foreign = listPermissions('instance', place).publish.filter((subject) => !subject.endsWith('.z6MkMe'))
    expect(foreign).toEqual(['_INBOX.ops.>'])
  })

  it('lets a joiner ask one issuer as itself, hear its answers, and nothing else', () => {
    expect(listPermissions('joiner', place)).toEqual({
      publish: ['iatp.1.main.z6MkIssuer.z6MkMe'],
      subscribe: ['iatp.1.main.z6MkMe.z6MkIssuer'],
    })
  })

  it.each(['', '*', '>', 'a.b', 'a b', '{{subject()}}', '{me}', 'a\n'])(
    'refuses the token %j, which could widen it',
    (token) => {
      for (const [role, name] of [
        ['instance', 'mesh'],
        ['instance', 'me'],
        ['instance', 'agent'],
        ['joiner', 'issuer'],
      ] as const)
        expect(() => listPermissions(role, { ...place, [name]: token })).toThrow(
          expect.objectContaining({ code: 'transport.subject-invalid' }),
        )
    },
  )

  it('refuses an instance without its place, and needs none for other roles', () => {
    expect(() => listPermissions('instance', { mesh: 'main' })).toThrow(
      expect.objectContaining({ code: 'transport.subject-invalid' }),
    )
    expect(listPermissions('monitor', { mesh: 'main' })).toEqual({ publish: ['$SRV.>'], subscribe: ['_INBOX.ops.>'] })
  })

  it('takes the templates of a scoped signing key', () => {
    expect(listPermissions('instance', { mesh: 'main', ...scopedPlace }).subscribe).toContain(
      'iatp.1.main.{{name()}}.*',
    )
  })

  it('has a row for every role', () => {
    const roles: readonly BrokerRole[] = ['instance', 'joiner', 'monitor', 'operator']
    expect(new Set(brokerPermissions.map(({ role }) => role))).toEqual(new Set(roles))
  })
})

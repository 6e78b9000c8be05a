import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { InstanceDid } from './did.ts'
import { isMeshError } from './mesh-error.ts'
import {
  formatEventPattern,
  formatEventSubject,
  formatInboxPattern,
  formatInboxSubject,
  formatMailboxPattern,
  formatMailboxSubject,
  parseSubject,
} from './subject.ts'

const me: InstanceDid = 'did:key:z6MkMe'
const you: InstanceDid = 'did:key:z6MkYou'
const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)
const instance = fc.stringMatching(/^z[A-Za-z0-9]{1,47}$/).map((tail) => `did:key:${tail}` as InstanceDid)

describe('formatInboxSubject', () => {
  it('names mesh, recipient and sender, without did:key', () => {
    expect(formatInboxSubject('acme', you, me)).toBe('iatp.1.acme.z6MkYou.z6MkMe')
    expect(formatInboxPattern('acme', me)).toBe('iatp.1.acme.z6MkMe.*')
  })

  it('is read back by parseSubject', () => {
    fc.assert(
      fc.property(token, instance, instance, (mesh, to, from) => {
        expect(parseSubject(formatInboxSubject(mesh, to, from))).toEqual({ mesh, kind: 'inbox', to, from })
      }),
    )
  })

  it.each(['', '*', '>', 'a.b', 'a b', 'a\tb', 'a\r\nPUB x', 'ä', 'did:web:a', '$SRV'])(
    'refuses the part %j, which could change who reads it',
    (part) => {
      const codes = [
        () => formatInboxSubject(part, you, me),
        () => formatInboxSubject('acme', `did:key:${part}` as InstanceDid, me),
        () => formatInboxSubject('acme', you, `did:key:${part}` as InstanceDid),
        () => formatInboxPattern('acme', `did:key:${part}` as InstanceDid),
        () => formatEventSubject('acme', part, me),
        () => formatEventPattern('acme', part),
        () => formatMailboxSubject('acme', part, me),
        () => formatMailboxPattern('acme', part),
      ].map((action) => {
        try {
          return action()
        } catch (error) {
          return isMeshError(error) ? error.code : String(error)
        }
      })
      expect(new Set(codes)).toEqual(new Set(['transport.subject-invalid']))
    },
  )
})

describe('formatEventSubject', () => {
  it('has a branch of its own', () => {
    expect(formatEventSubject('acme', 'prices', me)).toBe('iatp.1.acme.event.prices.z6MkMe')
    expect(formatEventPattern('acme', 'prices')).toBe('iatp.1.acme.event.prices.*')
  })

  it('is read back by parseSubject, and never as an inbox', () => {
    fc.assert(
      fc.property(token, token, instance, (mesh, topic, from) => {
        expect(parseSubject(formatEventSubject(mesh, topic, from))).toEqual({ mesh, kind: 'event', to: topic, from })
      }),
    )
  })
})

describe('formatMailboxSubject', () => {
  it('has a branch of its own, and is read back as nothing else', () => {
    expect(formatMailboxSubject('acme', 'ab12', me)).toBe('iatp.1.acme.mailbox.ab12.z6MkMe')
    expect(formatMailboxPattern('acme', 'ab12')).toBe('iatp.1.acme.mailbox.ab12.*')
    fc.assert(
      fc.property(token, token, instance, (mesh, to, from) => {
        expect(parseSubject(formatMailboxSubject(mesh, to, from))).toEqual({ mesh, kind: 'mailbox', to, from })
      }),
    )
  })
})

describe('parseSubject', () => {
  it.each([
    '',
    'iatp',
    'iatp.1.acme.z6MkYou',
    'iatp.2.acme.z6MkYou.z6MkMe',
    'IATP.1.acme.z6MkYou.z6MkMe',
    'iatp.1..z6MkYou.z6MkMe',
    'iatp.1.acme.z6MkYou.',
    'iatp.1.acme.z6MkYou.z6MkMe.more',
    'iatp.1.acme.event.prices',
    'iatp.1.acme.mailbox.ab12',
    'iatp.1.acme.event.prices.z6MkMe.more',
    '_INBOX.x',
    '$SRV.PING',
  ])('leaves %j alone', (subject) => {
    expect(parseSubject(subject)).toBeUndefined()
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (subject) => {
        expect(parseSubject(subject)).toBeUndefined()
      }),
    )
  })
})

import { describe, expect, it } from 'vitest'
import { isOperationsInbox, listServiceSubjects } from './nats-service.ts'

describe('isOperationsInbox', () => {
  it('takes subjects below the operations inbox and nothing else', () => {
    for (const reply of ['_INBOX.ops.a', '_INBOX.ops.a.b-1.C']) expect(isOperationsInbox(reply), reply).toBe(true)
    for (const reply of [
      undefined,
      '',
      '_INBOX.ops',
      '_INBOX.ops.',
      '_INBOX.ops..a',
      '_INBOX.ops.*',
      '_INBOX.ops.>',
      '_INBOX.ops.a b',
      '_INBOX.opsx.a',
      'iatp.1.main.a.b',
      'x_INBOX.ops.a',
    ])
      expect(isOperationsInbox(reply), String(reply)).toBe(false)
  })
})

describe('listServiceSubjects', () => {
  it('lists the questions to all, to a name and to one instance', () => {
    const subjects = listServiceSubjects({ name: 'acme-shop', id: 'z6Mk' }).map(([subject]) => subject)
    expect(subjects).toHaveLength(9)
    expect(subjects).toContain('$SRV.STATS.acme-shop.z6Mk')
  })
})

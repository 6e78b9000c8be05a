import { describe, expect, it } from 'vitest'
import { formatServers, toConnectionOptions } from './nats-options.ts'

describe('toConnectionOptions', () => {
  it('T42: never gives up by default', () => {
    expect(toConnectionOptions({ servers: 'nats://a' })).toMatchObject({
      servers: ['nats://a'],
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
    })
  })
  it('demands TLS for empty TLS settings and asks for none without', () => {
    expect(toConnectionOptions({ servers: 'a', tls: {} }).tls).toEqual({ checkServerIdentity: expect.any(Function) })
    expect(toConnectionOptions({ servers: 'a' })).not.toHaveProperty('tls')
  })
})

describe('formatServers', () => {
  it('leaves out users, passwords and tokens', () => {
    const servers = ['nats://user:secret@one:4222', 'tls://t0ken@two', 'user:secret@three', 'nats://four']
    expect(formatServers({ servers })).toBe('nats://one:4222, tls://two, three, nats://four')
  })
})

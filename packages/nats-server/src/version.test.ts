import { describe, expect, it } from 'vitest'
import { compareVersions, describeLosses, parseVersion, supportsSyncAlways } from './version.ts'

describe('parseVersion', () => {
  it('reads what nats-server prints', () => {
    expect(parseVersion('nats-server: v2.10.27\n')).toBe('2.10.27')
  })
  it('finds nothing in the output of another program', () => {
    expect(parseVersion('usage: cat [file]')).toBeUndefined()
  })
})

describe('compareVersions', () => {
  it('orders by number, not by text', () => {
    expect(['2.10.0', '2.9.10', '2.15.1', '2.9.9'].sort(compareVersions)).toEqual([
      '2.9.9',
      '2.9.10',
      '2.10.0',
      '2.15.1',
    ])
  })
})

describe('supportsSyncAlways', () => {
  it('starts with 2.10.0', () => {
    expect([supportsSyncAlways('2.9.25'), supportsSyncAlways('2.10.0')]).toEqual([false, true])
  })
})

describe('describeLosses', () => {
  it('names the missing fsync and the missing key expiry of 2.9.10', () => {
    expect(describeLosses('2.9.10').join('\n')).toMatch(/sync_interval: always[^]*expire/)
  })
  it('has nothing to say about a version with everything', () => {
    expect(describeLosses('2.15.1')).toEqual([])
  })
})

import { StorageType, type StreamConfig } from '@nats-io/jetstream'
import { describe, expect, it } from 'vitest'
import { configureStream, layOutStore, listStreamHazards } from './stream-layout.ts'

const { journal, keyValue } = layOutStore('shop')
const choices = { replicas: 1, maxBytes: -1 }

describe('layOutStore', () => {
  it.each(['', 'a.b', '*', 'a b', 'x'.repeat(65)])('refuses the name %j', (name) => {
    expect(() => layOutStore(name)).toThrow(expect.objectContaining({ code: 'store.name-invalid' }))
  })
})

describe('listStreamHazards', () => {
  it('finds nothing in what is made here', () => {
    for (const layout of [journal, keyValue])
      for (const version of ['2.9.10', '2.15.1'])
        expect(listStreamHazards(configureStream(layout, choices, version), layout, choices)).toEqual([])
  })
  const bad: readonly (readonly [named: string, change: Readonly<Record<string, unknown>>])[] = [
    ['subjects', { subjects: ['other'] }],
    ['memory', { storage: StorageType.Memory }],
    ['retention', { retention: 'workqueue' }],
    ['max_age', { max_age: 1 }],
    ['max_msgs ', { max_msgs: 5, discard: 'old' }],
    ['max_bytes', { max_bytes: 5, discard: 'old' }],
    ['max_msgs_per_subject', { max_msgs_per_subject: 1 }],
    ['persist_mode async', { persist_mode: 'async' }],
    ['replicas', { num_replicas: 0 }],
    ['no_ack', { no_ack: true }],
    ['sealed', { sealed: true }],
    ['other streams', { sources: [{ name: 'x' }] }],
    ['other streams', { mirror: { name: 'x' } }],
    ['subject_transform', { subject_transform: { src: 'a', dest: 'b' } }],
    ['republish', { republish: { src: 'a', dest: 'b' } }],
    ['compacted', { allow_rollup_hdrs: false }],
    ['expire', { allow_msg_ttl: true }],
    ['counter', { allow_msg_counter: true }],
  ]
  it.each(bad)('T24: names what loses or changes a journal: %s', (named, change) => {
    const config = { ...configureStream(journal, choices, '2.15.1'), ...change } as Partial<StreamConfig>
    expect(listStreamHazards(config, journal, choices).join('\n')).toContain(named)
  })
  it('lets a full stream refuse, and a key forget old values', () => {
    const full = { ...configureStream(journal, { replicas: 1, maxBytes: 1_000 }, '2.15.1'), max_msgs: 100 }
    expect(listStreamHazards(full, journal, choices)).toEqual([])
    const one = { ...configureStream(keyValue, choices, '2.15.1'), max_msgs_per_subject: 1 }
    expect(listStreamHazards(one, keyValue, choices)).toEqual([])
  })
  it('names a bucket in which a deleted key may come back', () => {
    const config = { ...configureStream(keyValue, choices, '2.15.1'), allow_rollup_hdrs: false }
    expect(listStreamHazards(config, keyValue, choices)).toEqual([expect.stringContaining('come back')])
  })
})

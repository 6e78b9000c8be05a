import { systemHash } from '@parley/ports'
import type { EnvelopeHeader } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { Answer } from '../calling/pending-answers.ts'
import { createPartReceiver } from './part-receiver.ts'

function open(maxAhead: number) {
  const ended: string[] = []
  const granted: number[] = []
  const receiver = createPartReceiver(systemHash, maxAhead, () => ended.push('call'))
  receiver.open((upTo) => granted.push(upTo))
  const take = (part: number, body = `{"part":${String(part)}}`): string => {
    const told = { header: { part } as EnvelopeHeader, body: new TextEncoder().encode(body), leaf: 'bGVhZg' } as Answer
    const verdict = receiver.take(told)
    return verdict.kind === 'deny' ? verdict.code : verdict.kind
  }
  return { receiver, take, granted, ended }
}

describe('createPartReceiver', () => {
  it('I1: ends at the first part that is missing', () => {
    const { receiver, take, ended } = open(4)
    expect([take(1), take(3), take(2)]).toEqual(['allow', 'stream.part-lost', 'allow'])
    expect([receiver.failure(), receiver.tally().count, ...ended]).toEqual(['stream.part-lost', 1, 'call'])
  })

  it('I2: takes no part that it has no room for, and grants more as parts are read', async () => {
    const { receiver, take, granted } = open(4)
    expect([1, 2, 3, 4].map((part) => take(part))).toEqual(['allow', 'allow', 'allow', 'allow'])
    await receiver.next()
    expect(granted).toEqual([])
    await receiver.next()
    expect(granted).toEqual([6])
    expect([take(5), take(6), take(7)]).toEqual(['allow', 'allow', 'stream.part-invalid'])
  })

  it('ends at a part that is no JSON, after those that came before it', async () => {
    const { receiver, take } = open(4)
    expect([take(1), take(2, '{')]).toEqual(['allow', 'stream.part-invalid'])
    receiver.end()
    expect([await receiver.next(), await receiver.next()]).toEqual([{ value: { part: 1 } }, undefined])
  })
})

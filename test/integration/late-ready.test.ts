import { defineContract } from '@parley/mesh'
import type { Delivery } from '@parley/ports'
import { createTestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const cards = defineContract('cards', {
  charge: { input: z.object({ id: z.string() }), output: z.object({}), risk: 'irreversible' },
})

describe('a broker that holds the ready of a handshake back', () => {
  it('gets no request done twice: in the session that it was sent again in, and in the one that opens late', async () => {
    await using mesh = createTestMesh()
    const charged: string[] = []
    const bank = await mesh.node('acme/bank', {
      serves: [cards],
      serve: (node) => {
        node.serve(cards, {
          charge: ({ id }) => {
            charged.push(id)
            return {}
          },
        })
      },
    })
    const desk = await mesh.node('acme/desk', { calls: [cards.charge] })
    const [bankKey, deskKey] = [bank, desk].map(({ instance }) => instance.slice('did:key:'.length))
    const isToBank = ({ subject }: Delivery): boolean => subject.endsWith(`${bankKey}.${deskKey}`)
    const seen: Delivery[] = []
    mesh.bus.tap((delivery) => {
      if (isToBank(delivery)) seen.push(delivery)
    })
    let frames = 0
    // The first frame is the hello; the second one holds the ready.
    mesh.bus.inject({
      kind: 'delay',
      delayMs: 1_000,
      when: (delivery) => isToBank(delivery) && ++frames === 2,
    })
    const first = desk.tryCall(cards.charge, { id: 'first' })
    await mesh.clock.settle()
    const second = desk.tryCall(cards.charge, { id: 'second' })
    await mesh.clock.settle()
    expect((await second).kind).toBe('ok')
    expect(charged).toEqual(['second'])
    await mesh.clock.advance(1_000)
    expect((await first).kind).toBe('ok')
    // All that the desk has ever sent comes once more.
    const attacker = mesh.bus.connect()
    for (const { subject, data } of seen.slice()) attacker.publish(subject, data)
    await mesh.clock.settle()
    expect(charged).toEqual(['second', 'first'])
  })
})

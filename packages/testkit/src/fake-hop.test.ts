import { CallError, defineContract, type Hop } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fakeHop } from './fake-hop.ts'

const cards = defineContract('cards', {
  charge: { input: z.object({ cents: z.number() }), output: z.object({ receipt: z.string() }), risk: 'reversible' },
})

const charge = (
  { cents }: { readonly cents: number },
  hop: Hop<{ readonly 'card-declined': { readonly left: number } }>,
) => (cents > 100 ? hop.decline('card-declined', { left: 100 }) : { receipt: hop.caller.name })

describe('fakeHop', () => {
  it('lets one handler answer and decline', () => {
    expect(charge({ cents: 5 }, fakeHop())).toEqual({ receipt: 'acme/desk' })
    expect(charge({ cents: 500 }, fakeHop())).toEqual({
      kind: 'declined',
      error: { name: 'card-declined', details: { left: 100 } },
    })
  })

  it('takes other facts', () => {
    expect(fakeHop({ onBehalfOf: 'ann', remainingMs: () => 7 })).toMatchObject({ onBehalfOf: 'ann' })
    expect(fakeHop().fail({ retryable: true })).toEqual({ kind: 'nothing-done', retryable: true })
    expect(fakeHop().refuse('saga.stale-epoch')).toEqual({ kind: 'refusal', code: 'saga.stale-epoch' })
  })

  it('refuses calls unless it is told what they answer', async () => {
    const alone = fakeHop()
    expect(await alone.tryCall(cards.charge, { cents: 1 })).toMatchObject({ code: 'mesh.no-provider' })
    await expect(alone.call(cards.charge, { cents: 1 })).rejects.toBeInstanceOf(CallError)
  })

  it('lets call follow the given tryCall', async () => {
    const { hop } = await fakeHop().tryCall(cards.charge, { cents: 1 })
    const answer = { kind: 'ok', output: { receipt: 'r1' }, hop } as const
    const told = fakeHop({ tryCall: async () => answer as never })
    expect(await told.call(cards.charge, { cents: 1 })).toEqual({ receipt: 'r1' })
  })
})

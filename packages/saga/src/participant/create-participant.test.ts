import { createManualClock, type ManualClock } from '@parley/ports'
import type { Outcome, SagaCommand } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { createFakeMesh } from '../testing/fake-mesh.fixture.ts'
import {
  createMemoryParticipant,
  createWorld,
  type MemoryParticipant,
  type World,
} from '../testing/memory-participant.fixture.ts'
import { createMemoryStore } from '../testing/memory-store.fixture.ts'
import { trips } from '../testing/trip-contract.fixture.ts'
import { createParticipant } from './create-participant.ts'
import type { TransactionalServe } from './participant.ts'

type Reserve = TransactionalServe<
  World,
  { readonly what: string },
  { readonly ref: string },
  { full: { seats: number } }
>

interface Desk {
  readonly clock: ManualClock
  readonly memory: MemoryParticipant
  ask(command?: Partial<SagaCommand>, as?: `${string}/${string}`): Promise<Outcome>
}

const done: Reserve['do'] = (tx, { what }, hop) => {
  tx.effects.set(hop.saga?.key ?? '', what)
  tx.log.push('do')
  return { ref: `ref-${what}` }
}

/** Serves one capability and sends commands to it by hand. */
function createDesk(act: Reserve['do'] = done): Desk {
  const clock = createManualClock()
  const memory = createMemoryParticipant(clock)
  const mesh = createFakeMesh()
  mesh.serve(
    'acme/desk',
    trips.reserve,
    memory.participant.serve(trips.reserve, {
      do: act,
      undo(tx, { output }, hop) {
        tx.effects.delete(hop.saga?.key ?? '')
        tx.log.push(`undo ${JSON.stringify(output)}`)
      },
    }),
  )
  return {
    clock,
    memory,
    ask(command = {}, as = 'acme/travel') {
      const node = mesh.createNode({ name: as, store: createMemoryStore(), clock })
      const saga: SagaCommand = {
        id: 't',
        step: 'a',
        attempt: 1,
        epoch: 1,
        key: 'k',
        phase: 'do',
        expiresAtMs: clock.now() + 1_000,
        ...command,
      }
      return node.tryCall(trips.reserve, { what: 'x' }, { to: 'acme/desk', saga })
    },
  }
}

describe('participant.serve', () => {
  it('I2: does a key once and answers the same again', async () => {
    const desk = createDesk()
    const [first, second] = await Promise.all([desk.ask(), desk.ask({ attempt: 2 })])
    expect([first, second]).toMatchObject([
      { kind: 'ok', output: { ref: 'ref-x' } },
      { kind: 'ok', output: { ref: 'ref-x' } },
    ])
    expect(desk.memory.world().log).toEqual(['do'])
  })

  it('I1: rolls effect and row back together when the handler throws, and says that nothing was done', async () => {
    let broken = true
    const desk = createDesk((tx, input, hop) => {
      const result = done(tx, input, hop)
      if (broken) throw new Error('late')
      return result
    })
    expect(await desk.ask()).toMatchObject({ kind: 'failed', retryable: true })
    expect(desk.memory.world()).toMatchObject({ effects: new Map(), rows: new Map(), log: [] })
    broken = false
    expect(await desk.ask()).toMatchObject({ kind: 'ok' })
  })

  it.each<[string, Reserve['do'], object]>([
    [
      'fail',
      (tx, input, hop) => {
        void done(tx, input, hop)
        return hop.fail()
      },
      { kind: 'failed', retryable: false },
    ],
    [
      'refuse',
      (tx, input, hop) => {
        void done(tx, input, hop)
        return hop.refuse('policy.denied')
      },
      { kind: 'refused', code: 'policy.denied' },
    ],
  ])('rolls back what was done before hop.%s', async (_, act, outcome) => {
    const desk = createDesk(act)
    expect(await desk.ask()).toMatchObject(outcome)
    expect(desk.memory.world().effects.size).toBe(0)
    expect(await desk.ask({ phase: 'lookup' })).toMatchObject({ output: { found: 'absent' } })
  })

  it('does not take an output for a refusal, whatever it looks like', async () => {
    const lookalike = { kind: 'nothing-done', retryable: true, ref: 'x' }
    const desk = createDesk(() => lookalike)
    expect(await desk.ask()).toMatchObject({ kind: 'ok', output: lookalike })
    expect(await desk.ask({ phase: 'lookup' })).toMatchObject({ output: { found: 'ok', output: lookalike } })
  })

  it('remembers a decline', async () => {
    let calls = 0
    const desk = createDesk((_tx, _input, hop) => hop.decline('full', { seats: calls++ }))
    const declined = { kind: 'declined', error: { name: 'full', details: { seats: 0 } } }
    expect(await desk.ask()).toMatchObject(declined)
    expect(await desk.ask({ attempt: 2 })).toMatchObject(declined)
    expect(await desk.ask({ phase: 'lookup' })).toMatchObject({ output: { found: 'declined', error: declined.error } })
    expect(calls).toBe(1)
  })

  it('undoes once, with the output that it remembers itself', async () => {
    const desk = createDesk()
    await desk.ask()
    expect(await desk.ask({ phase: 'undo' })).toMatchObject({ kind: 'ok' })
    expect(await desk.ask({ phase: 'undo' })).toMatchObject({ kind: 'ok' })
    expect(desk.memory.world().log).toEqual(['do', 'undo {"ref":"ref-x"}'])
  })

  it('I3: keeps an undo that came first as a tombstone', async () => {
    const desk = createDesk()
    expect(await desk.ask({ phase: 'undo' })).toMatchObject({ kind: 'ok' })
    expect(await desk.ask()).toMatchObject({ kind: 'refused', code: 'saga.tombstoned' })
    expect(await desk.ask({ phase: 'lookup' })).toMatchObject({ output: { found: 'tombstone' } })
    expect(desk.memory.world().log).toEqual([])
  })

  it.each(['do', 'undo', 'lookup'] as const)('I4: refuses to %s for an epoch that is over', async (phase) => {
    const desk = createDesk()
    await desk.ask({ epoch: 3, key: 'other' })
    expect(await desk.ask({ epoch: 2, phase })).toMatchObject({ kind: 'refused', code: 'saga.stale-epoch' })
    expect(desk.memory.world().log).toEqual(['do'])
  })

  it("I5: lets nobody bury, see or fence another's saga", async () => {
    const desk = createDesk()
    await desk.ask({ phase: 'undo', epoch: 99 }, 'acme/mallory')
    expect(await desk.ask()).toMatchObject({ kind: 'ok' })
    expect(await desk.ask({ phase: 'undo' }, 'acme/mallory')).toMatchObject({
      kind: 'refused',
      code: 'saga.stale-epoch',
    })
    expect(await desk.ask({ phase: 'lookup', id: 't2' }, 'acme/mallory')).toMatchObject({ output: { found: 'absent' } })
    expect(desk.memory.world().effects.size).toBe(1)
  })

  it.each(['do', 'undo', 'lookup'] as const)('refuses to %s once the command may be forgotten', async (phase) => {
    const desk = createDesk()
    const expiresAtMs = desk.clock.now() + 1_000
    await desk.ask({ expiresAtMs })
    await desk.clock.advance(1_000)
    expect(await desk.ask({ expiresAtMs, phase })).toMatchObject({ kind: 'refused', code: 'saga.command-expired' })
  })

  describe('with a lock', () => {
    const lockingDesk = (lockMs?: number) => {
      const clock = createManualClock()
      const mesh = createFakeMesh()
      const { participant, world } = createMemoryParticipant(clock)
      const act = participant.serve(trips.reserve, {
        lock: ({ what }) => what,
        ...(lockMs !== undefined && { lockMs }),
        do: (tx, input, hop) => (input.what === 'full' ? hop.decline('full', { seats: 0 }) : done(tx, input, hop)),
        undo: (tx, _done, hop) => void tx.effects.delete(hop.saga?.key ?? ''),
      })
      mesh.serve('acme/desk', trips.reserve, act)
      const node = mesh.createNode({ name: 'acme/travel', store: createMemoryStore(), clock })
      const ask = (id: string, more: Partial<SagaCommand> = {}, what = 'x'): Promise<Outcome> =>
        node.tryCall(
          trips.reserve,
          { what },
          {
            to: 'acme/desk',
            saga: {
              id,
              step: 'a',
              attempt: 1,
              epoch: 1,
              key: `${id}/a`,
              phase: 'do',
              expiresAtMs: clock.now() + 5_000,
              ...more,
            },
          },
        )
      return { clock, world, act, ask }
    }
    const locked = { kind: 'refused', code: 'saga.locked', retryAfterMs: 100 }

    it('I6: touches nothing that another saga has, in a saga or without one', async () => {
      const { act, ask, world } = lockingDesk()
      expect(await ask('one')).toMatchObject({ kind: 'ok' })
      expect(await ask('two')).toMatchObject(locked)
      expect(await ask('two', {}, 'y')).toMatchObject({ kind: 'ok' })
      const hop = { id: 'h', caller: { owner: 'did:key:zOwner', name: 'acme/travel' }, capability: 'trips:reserve' }
      const refuse = (code: string, options: object): object => ({ kind: 'refused', code, ...options })
      const lone = { ...hop, decline: refuse, fail: refuse, refuse } as unknown as Parameters<typeof act.do>[1]
      expect(await act.do({ what: 'x' }, lone)).toMatchObject(locked)
      expect(await act.do({ what: 'z' }, lone)).toEqual({ ref: 'ref-z' })
      expect([...world().locks.values()].map(({ target }) => target)).toEqual(['x', 'y'])
    })

    it('keeps nothing of what it declined, and gives back what it undid', async () => {
      const { ask, world } = lockingDesk()
      await ask('one', {}, 'full')
      expect(world().locks.size).toBe(0)
      await ask('two')
      await ask('two', { phase: 'undo' })
      expect(await ask('three')).toMatchObject({ kind: 'ok' })
    })

    it.each([
      ['by its own time', 2_000, 2_000],
      ["by its saga's expiry", undefined, 5_000],
    ])('lapses %s, whoever holds it', async (_, lockMs, laterMs) => {
      const { ask, clock } = lockingDesk(lockMs)
      await ask('dead')
      await clock.advance(laterMs - 1)
      expect(await ask('alive')).toMatchObject({ code: 'saga.locked', retryAfterMs: 1 })
      await clock.advance(1)
      expect(await ask('alive', { attempt: 2 })).toMatchObject({ kind: 'ok' })
    })

    it('is refused where its participant has no locks', () => {
      const { inbox, transaction } = { inbox: {} as never, transaction: {} as never }
      const participant = createParticipant({ inbox, transaction, clock: createManualClock() })
      expect(() => participant.serve(trips.mail, { lock: () => 'x', do: () => null })).toThrow(
        expect.objectContaining({ code: 'contract.invalid' }),
      )
    })
  })

  it('refuses a contract with an undo that nothing serves', () => {
    const { participant } = createMemoryParticipant(createManualClock())
    expect(() => participant.serve(trips.reserve, { do: done })).toThrow(
      expect.objectContaining({ code: 'contract.invalid' }),
    )
  })

  it('claims nothing about a transaction that breaks by itself', async () => {
    const clock = createManualClock()
    const mesh = createFakeMesh()
    const broken = createParticipant<World>({
      inbox: {
        begin: () => ({ kind: 'new' }),
        settle: () => undefined,
        undo: () => ({ kind: 'nothing' }),
        lookup: () => ({ kind: 'new' }),
        close: () => ({ kind: 'closed' }),
      },
      async transaction(run) {
        await run(createWorld())
        throw new Error('commit failed')
      },
      clock,
    })
    mesh.serve('acme/desk', trips.mail, broken.serve(trips.mail, { do: () => null }))
    const node = mesh.createNode({ name: 'acme/travel', store: createMemoryStore(), clock })
    const saga = {
      id: 't',
      step: 'a',
      attempt: 1,
      epoch: 1,
      key: 'k',
      phase: 'do',
      expiresAtMs: clock.now() + 1,
    } as const
    expect(await node.tryCall(trips.mail, { text: '' }, { to: 'acme/desk', saga })).toMatchObject({ kind: 'unknown' })
  })
})

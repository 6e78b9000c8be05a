import type { InboxCommand, LockVerdict, TargetLocks } from '@parley/ports'
import type { TestKit } from './test-kit.ts'

/** Locks that nobody took, in a participant's own database. */
export interface LocksFixture<Tx> {
  readonly locks: TargetLocks<Tx>
  /** Runs `work` in a transaction: what it did is kept if it resolves, and undone if it rejects. */
  transact<Result>(work: (tx: Tx) => Result | Promise<Result>): Promise<Result>
  /** Forgets what was over at or before `nowMs`. */
  purge(nowMs: number): Promise<unknown>
  dispose(): Promise<void>
}

const base: InboxCommand = {
  owner: 'did:key:zOwner',
  name: 'acme/trips',
  saga: 'trip-1',
  key: 'step-1',
  capability: 'flights:reserve',
  epoch: 1,
  expiresAtMs: 10_000,
}
const other: InboxCommand = { ...base, saga: 'trip-2' }

/** Defines the suite that all `TargetLocks` must pass. `make` is called once for each test. */
export function locksConformance<Tx>(
  { describe, it, expect }: TestKit,
  name: string,
  make: () => Promise<LocksFixture<Tx>>,
): void {
  const test = (title: string, run: (fixture: LocksFixture<Tx>) => Promise<void>): void => {
    it(title, async () => {
      const fixture = await make()
      try {
        await run(fixture)
      } finally {
        await fixture.dispose()
      }
    })
  }
  const take = (
    { locks, transact }: LocksFixture<Tx>,
    command: InboxCommand,
    { target = 'seat/1A', nowMs = 0, untilMs = 1_000 } = {},
  ): Promise<LockVerdict> => transact((tx) => locks.take(tx, command, target, { nowMs, untilMs }))
  const taken = { kind: 'taken' }
  const held = { kind: 'held', untilMs: 1_000 }

  describe(`${name} as TargetLocks`, () => {
    test('T12: keep a target from every other saga, and tell it until when', async (fixture) => {
      expect(await take(fixture, base)).toEqual(taken)
      for (const rival of [other, { ...base, owner: 'did:key:zAnother' }, { ...base, name: 'acme/tours' }])
        expect(await take(fixture, rival)).toEqual({ kind: 'held', untilMs: 1_000 })
      expect(await take(fixture, other, { target: 'seat/1B' })).toEqual(taken)
    })
    test('let the saga that has a target take it again, and never shorten it', async (fixture) => {
      await take(fixture, base)
      expect(await take(fixture, base, { untilMs: 3_000 })).toEqual(taken)
      expect(await take(fixture, { ...base, key: 'step-2' }, { untilMs: 500 })).toEqual(taken)
      expect(await take(fixture, base, { untilMs: 600 })).toEqual(taken)
      expect(await take(fixture, other)).toEqual({ kind: 'held', untilMs: 3_000 })
    })
    test('free a target once the last key of its saga gave it back', async (fixture) => {
      const second = { ...base, key: 'step-2' }
      await take(fixture, base)
      await take(fixture, second)
      await fixture.transact((tx) => fixture.locks.release(tx, base))
      expect(await take(fixture, other)).toEqual(held)
      await fixture.transact((tx) => fixture.locks.release(tx, second))
      expect(await take(fixture, other)).toEqual(taken)
    })
    test('free all targets of a saga at once, and none of another', async (fixture) => {
      await take(fixture, base)
      await take(fixture, { ...base, key: 'step-2' }, { target: 'seat/1B' })
      await take(fixture, other, { target: 'seat/1C' })
      await fixture.transact((tx) => fixture.locks.releaseSaga(tx, base))
      expect(await take(fixture, other)).toEqual(taken)
      expect(await take(fixture, other, { target: 'seat/1B' })).toEqual(taken)
      expect(await take(fixture, base, { target: 'seat/1C' })).toEqual(held)
    })
    test('are over when their time is, whether they were purged or not', async (fixture) => {
      await take(fixture, base)
      expect(await take(fixture, other, { nowMs: 999, untilMs: 2_000 })).toEqual(held)
      expect(await take(fixture, other, { nowMs: 1_000, untilMs: 2_000 })).toEqual(taken)
      await fixture.purge(2_000)
      expect(await take(fixture, base, { nowMs: 1_500, untilMs: 2_500 })).toEqual(taken)
    })
    test('are taken and given back with the transaction, or not at all', async (fixture) => {
      const { locks, transact } = fixture
      const broken = async (work: (tx: Tx) => unknown): Promise<void> => {
        const failing = transact(async (tx) => {
          await work(tx)
          throw new Error('the effect failed')
        })
        await expect(failing).rejects.toMatchObject({ message: 'the effect failed' })
      }
      await broken((tx) => locks.take(tx, base, 'seat/1A', { nowMs: 0, untilMs: 1_000 }))
      expect(await take(fixture, other)).toEqual(taken)
      await broken((tx) => locks.release(tx, other))
      expect(await take(fixture, base)).toEqual(held)
    })
    test('give one target to one of two sagas that want it at the same moment', async (fixture) => {
      const verdicts = await Promise.all(['a', 'b', 'c', 'd'].map((saga) => take(fixture, { ...base, saga })))
      expect(verdicts.filter(({ kind }) => kind === 'taken').length).toBe(1)
    })
  })
}

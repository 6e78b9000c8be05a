import type { Inbox, InboxCommand } from '@parley/ports'
import { readRejectedCode } from './error-code.ts'
import type { TestKit } from './test-kit.ts'

/** An empty inbox in a participant's own database. */
export interface InboxFixture<Tx> {
  readonly inbox: Inbox<Tx>
  /** Effects are in no transaction, so that what was begun and not settled is in doubt; default `inside`. */
  readonly effects?: 'inside' | 'outside'
  /** Runs `work` in a transaction: what it did is kept if it resolves, and undone if it rejects. */
  transact<Result>(work: (tx: Tx) => Result | Promise<Result>): Promise<Result>
  /** Forgets what expired at or before `nowMs`. */
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
  expiresAtMs: 1_000,
}
const done = { kind: 'ok', output: '{"seat":"12A"}' } as const
const declined = { kind: 'declined', error: '{"code":"sold-out"}' } as const

/** Defines the suite that every `Inbox` must pass. `make` is called once for each test. */
export function inboxConformance<Tx>(
  { describe, it, expect }: TestKit,
  name: string,
  make: () => Promise<InboxFixture<Tx>>,
): void {
  const test = (title: string, run: (fixture: InboxFixture<Tx>) => Promise<void>): void => {
    it(title, async () => {
      const fixture = await make()
      try {
        await run(fixture)
      } finally {
        await fixture.dispose()
      }
    })
  }
  const begin = ({ inbox, transact }: InboxFixture<Tx>, change: Partial<InboxCommand> = {}): Promise<unknown> =>
    transact((tx) => inbox.begin(tx, { ...base, ...change }))
  const undo = ({ inbox, transact }: InboxFixture<Tx>, change: Partial<InboxCommand> = {}): Promise<unknown> =>
    transact((tx) => inbox.undo(tx, { ...base, ...change }))
  const lookup = ({ inbox, transact }: InboxFixture<Tx>, change: Partial<InboxCommand> = {}): Promise<unknown> =>
    transact((tx) => inbox.lookup(tx, { ...base, ...change }))
  const close = ({ inbox, transact }: InboxFixture<Tx>, change: Partial<InboxCommand> = {}): Promise<unknown> =>
    transact((tx) => inbox.close(tx, { ...base, ...change }))
  const settle = (
    { inbox, transact }: InboxFixture<Tx>,
    outcome: typeof done | typeof declined = done,
    change: Partial<InboxCommand> = {},
  ): Promise<void> => transact((tx) => inbox.settle(tx, { ...base, ...change }, outcome))

  describe(`${name} as an Inbox`, () => {
    test('answers a repeated command as it was answered, whatever the outcome', async (fixture) => {
      expect(await begin(fixture)).toEqual({ kind: 'new' })
      await settle(fixture)
      await settle(fixture, declined, { key: 'step-2' })
      expect(await begin(fixture)).toEqual({ kind: 'known', outcome: done })
      expect(await begin(fixture, { key: 'step-2', epoch: 2 })).toEqual({ kind: 'known', outcome: declined })
    })
    test('forgets an outcome whose transaction did not commit', async (fixture) => {
      const { inbox, transact } = fixture
      const failing = transact(async (tx) => {
        await inbox.begin(tx, base)
        await inbox.settle(tx, base, done)
        throw new Error('the effect failed')
      })
      await expect(failing).rejects.toMatchObject({ message: 'the effect failed' })
      expect(await begin(fixture)).toEqual({ kind: 'new' })
    })
    test('takes what was begun and not settled for new, or where effects are outside for in doubt', async (fixture) => {
      const isOutside = fixture.effects === 'outside'
      const open = { kind: isOutside ? 'in-doubt' : 'new' }
      expect(await begin(fixture)).toEqual({ kind: 'new' })
      expect(await begin(fixture)).toEqual(open)
      expect(await lookup(fixture)).toEqual(open)
      expect(await undo(fixture)).toEqual({ kind: isOutside ? 'in-doubt' : 'nothing' })
      expect(await begin(fixture)).toEqual({ kind: 'tombstone' })
      expect(await begin(fixture, { key: 'step-2' })).toEqual({ kind: 'new' })
      await settle(fixture, done, { key: 'step-2' })
      expect(await lookup(fixture, { key: 'step-2' })).toEqual({ kind: 'known', outcome: done })
    })
    test('undoes what was done exactly once, and never does it again', async (fixture) => {
      await settle(fixture)
      expect(await undo(fixture)).toEqual({ kind: 'undo', outcome: done })
      expect(await undo(fixture)).toEqual({ kind: 'nothing' })
      expect(await begin(fixture)).toEqual({ kind: 'tombstone' })
      expect(await lookup(fixture)).toEqual({ kind: 'tombstone' })
    })
    test('takes a tombstone back whose transaction did not commit', async (fixture) => {
      const { inbox, transact } = fixture
      await settle(fixture)
      const failing = transact(async (tx) => {
        await inbox.undo(tx, base)
        throw new Error('the undo failed')
      })
      await expect(failing).rejects.toMatchObject({ message: 'the undo failed' })
      expect(await undo(fixture)).toEqual({ kind: 'undo', outcome: done })
    })
    test('T5: an undo that comes first leaves a tombstone that the late command meets', async (fixture) => {
      expect(await undo(fixture)).toEqual({ kind: 'nothing' })
      expect(await begin(fixture)).toEqual({ kind: 'tombstone' })
      expect(await readRejectedCode(settle(fixture))).toBe('saga.tombstoned')
      expect(await undo(fixture)).toEqual({ kind: 'nothing' })
    })
    test('has nothing to undo of what was declined', async (fixture) => {
      await settle(fixture, declined)
      expect(await undo(fixture)).toEqual({ kind: 'nothing' })
      expect(await begin(fixture)).toEqual({ kind: 'tombstone' })
    })
    test('looks up without doing: new, known and tombstone', async (fixture) => {
      expect(await lookup(fixture)).toEqual({ kind: 'new' })
      expect(await begin(fixture)).toEqual({ kind: 'new' })
      await settle(fixture)
      expect(await lookup(fixture)).toEqual({ kind: 'known', outcome: done })
      await undo(fixture)
      expect(await lookup(fixture)).toEqual({ kind: 'tombstone' })
    })
    for (const [raising, raise] of [
      ['begin', begin],
      ['undo', undo],
      ['lookup', lookup],
    ] as const)
      test(`T13: refuses a zombie owner once ${raising} came at a higher epoch`, async (fixture) => {
        await settle(fixture)
        await raise(fixture, { key: 'other', epoch: 5 })
        const stale = { kind: 'stale-epoch', epoch: 5 }
        for (const key of ['step-1', 'never-seen']) {
          expect(await begin(fixture, { key, epoch: 4 })).toEqual(stale)
          expect(await undo(fixture, { key, epoch: 4 })).toEqual(stale)
          expect(await lookup(fixture, { key, epoch: 4 })).toEqual(stale)
        }
        expect(await readRejectedCode(settle(fixture, done, { key: 'never-seen', epoch: 4 }))).toBe('saga.stale-epoch')
        expect(await lookup(fixture, { key: 'never-seen', epoch: 5 })).toEqual({ kind: 'new' })
        expect(await undo(fixture, { epoch: 5 })).toEqual({ kind: 'undo', outcome: done })
      })
    for (const field of ['owner', 'name', 'saga'] as const)
      test(`keeps sagas of another ${field} apart: nobody can undo, fence or answer for them`, async (fixture) => {
        const other = { [field]: 'another' }
        await settle(fixture)
        expect(await begin(fixture, other)).toEqual({ kind: 'new' })
        expect(await undo(fixture, { ...other, key: 'step-2', epoch: 9 })).toEqual({ kind: 'nothing' })
        expect(await begin(fixture)).toEqual({ kind: 'known', outcome: done })
        expect(await undo(fixture)).toEqual({ kind: 'undo', outcome: done })
      })
    test('keeps names apart that only look alike when they are joined', async (fixture) => {
      await settle(fixture, done, { saga: 'a/b', key: 'c' })
      expect(await begin(fixture, { saga: 'a', key: 'b/c' })).toEqual({ kind: 'new' })
    })
    test('settles a key once', async (fixture) => {
      await settle(fixture)
      expect(await readRejectedCode(settle(fixture, declined))).toBe('saga.command-invalid')
      expect(await begin(fixture)).toEqual({ kind: 'known', outcome: done })
    })
    test('neither tells nor buries what another capability did', async (fixture) => {
      await settle(fixture)
      for (const ask of [begin, lookup, undo])
        expect(await readRejectedCode(ask(fixture, { capability: 'flights:cancel' }))).toBe('saga.command-invalid')
      expect(await undo(fixture)).toEqual({ kind: 'undo', outcome: done })
    })
    test('forgets the keys of a saga that is over, and never takes what comes late for new', async (fixture) => {
      await settle(fixture)
      expect(await close(fixture, { key: 'other', epoch: 2 })).toEqual({ kind: 'closed' })
      expect(await close(fixture, { epoch: 2 })).toEqual({ kind: 'closed' })
      for (const key of ['step-1', 'never-seen'])
        for (const ask of [begin, undo, lookup])
          expect(await ask(fixture, { key, epoch: 2 })).toEqual({ kind: 'closed' })
      expect(await readRejectedCode(settle(fixture, done, { key: 'step-2', epoch: 3 }))).toBe('saga.command-closed')
      expect(await begin(fixture, { saga: 'trip-2' })).toEqual({ kind: 'new' })
    })
    test('T13: lets no zombie owner end a saga', async (fixture) => {
      await settle(fixture, done, { epoch: 3 })
      expect(await close(fixture, { epoch: 2 })).toEqual({ kind: 'stale-epoch', epoch: 3 })
      expect(await begin(fixture, { epoch: 3 })).toEqual({ kind: 'known', outcome: done })
    })
    test('takes the end of a saga back whose transaction did not commit', async (fixture) => {
      const { inbox, transact } = fixture
      await settle(fixture)
      const failing = transact(async (tx) => {
        await inbox.close(tx, base)
        throw new Error('the release failed')
      })
      await expect(failing).rejects.toMatchObject({ message: 'the release failed' })
      expect(await begin(fixture)).toEqual({ kind: 'known', outcome: done })
    })
    test('remembers until the expiry, and never takes what it may have forgotten for new', async (fixture) => {
      await settle(fixture)
      await fixture.purge(999)
      expect(await begin(fixture)).toEqual({ kind: 'known', outcome: done })
      await fixture.purge(1_000)
      for (const ask of [begin, undo, lookup]) expect(await readRejectedCode(ask(fixture))).toBe('saga.command-expired')
      expect(await begin(fixture, { saga: 'trip-2', expiresAtMs: 2_000 })).toEqual({ kind: 'new' })
    })
  })
}

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inboxConformance } from '@parley/conformance'
import { openStoreInbox } from '@parley/inbox-store'
import { defineContract, type SagaCommand } from '@parley/mesh'
import type { RunningNatsServer } from '@parley/nats-server'
import { createSystemClock, systemHash } from '@parley/ports'
import { createParticipant } from '@parley/saga'
import { fakeHop } from '@parley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openStore, startJetStream } from './broker-store.ts'
import type { StoreInboxOrder } from './store-inbox-process.ts'

const unknown = { kind: 'refusal', code: 'saga.outcome-unknown' }
const command = (key: string, change: Partial<SagaCommand> = {}): SagaCommand => ({
  id: 'trip-1',
  step: 'charge',
  attempt: 1,
  epoch: 1,
  key,
  phase: 'do',
  expiresAtMs: Date.now() + 3_600_000,
  ...change,
})

describe('openStoreInbox', () => {
  let server: RunningNatsServer
  let count = 0
  const folder = mkdtempSync(join(tmpdir(), 'parley-store-inbox-'))
  beforeAll(async () => {
    server = await startJetStream()
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  inboxConformance({ describe, it, expect }, 'the JetStream inbox', async () => {
    const store = await openStore(server.url, { name: `inbox-${count++}` })
    const { inbox, transaction, purge } = openStoreInbox(store, systemHash)
    return { inbox, effects: 'outside', transact: transaction, purge, dispose: () => store.close() }
  })

  describe('with a real process', { timeout: 120_000 }, () => {
    /** Starts participants one after the other over one broker and one file of effects. */
    const openLife = (name: string) => {
      const file = join(folder, name)
      writeFileSync(file, '')
      let child: ChildProcess | undefined
      const start = async (): Promise<ChildProcess> => {
        const started = fork(join(import.meta.dirname, 'store-inbox-process.ts'), [server.url, name, file], {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        })
        child = started
        await once(started, 'message')
        return started
      }
      return {
        effects: () => readFileSync(file, 'utf8').split('\n').filter(Boolean),
        /** Sends a command, to a new process if the last one died; `dead` is its answer where it dies of it. */
        async ask(order: StoreInboxOrder): Promise<unknown> {
          const living = child?.connected ? child : await start()
          living.send(order)
          const ended = once(living, 'exit').then(() => ({ answer: 'dead' }))
          const told = once(living, 'message').then(([report]: unknown[]) => report as { readonly answer: unknown })
          return (await Promise.race([told, ended])).answer
        },
        async end() {
          if (!child?.connected) return
          const ended = once(child, 'exit')
          child.kill('SIGKILL')
          await ended
        },
      }
    }

    it('I1: a participant that died in the window does nothing twice, and says what it does not know', async () => {
      const life = openLife('window')
      expect(await life.ask({ saga: command('never'), dieAt: 'before-effect' })).toBe('dead')
      // Not found out, it is neither done nor said to be absent.
      expect(await life.ask({ saga: command('never', { attempt: 2 }) })).toMatchObject(unknown)
      expect(await life.ask({ saga: command('never', { phase: 'lookup' }) })).toMatchObject(unknown)
      expect(life.effects()).toEqual([])
      expect(await life.ask({ saga: command('once', { epoch: 3 }), dieAt: 'after-effect' })).toBe('dead')
      expect(await life.ask({ saga: command('once', { epoch: 2 }) })).toMatchObject({ code: 'saga.stale-epoch' })
      expect(await life.ask({ saga: command('once', { epoch: 3 }) })).toMatchObject(unknown)
      const output = { charge: 'of once' }
      expect(await life.ask({ saga: command('once', { epoch: 3 }), finds: true })).toEqual(output)
      expect(await life.ask({ saga: command('once', { epoch: 3, phase: 'lookup' }) })).toEqual({ found: 'ok', output })
      expect(life.effects()).toEqual(['once'])
      // What is known to have never happened may be done.
      expect(await life.ask({ saga: command('never', { epoch: 3 }), finds: true })).toEqual({ charge: 'of never' })
      expect(life.effects()).toEqual(['once', 'never'])
      await life.end()
    })

    it('I3: an undo whose process died runs again, and one in doubt runs by the key alone', async () => {
      const life = openLife('undo')
      expect(await life.ask({ saga: command('done') })).toEqual({ charge: 'of done' })
      expect(await life.ask({ saga: command('doubt'), dieAt: 'before-effect' })).toBe('dead')
      expect(await life.ask({ saga: command('done', { phase: 'undo' }), dieAt: 'after-undo' })).toBe('dead')
      for (const key of ['done', 'doubt', 'done']) await life.ask({ saga: command(key, { phase: 'undo' }) })
      expect(life.effects()).toEqual([
        'undone done {"charge":"of done"}',
        'undone done {"charge":"of done"}',
        'undone doubt undefined',
      ])
      for (const key of ['done', 'doubt'])
        expect(await life.ask({ saga: command(key, { attempt: 2 }) })).toMatchObject({ code: 'saga.tombstoned' })
      await life.end()
    })
  })

  it('takes a throw for no answer, and only a refusal or a failure that says so for nothing done', async () => {
    const store = await openStore(server.url, { name: 'throws' })
    const cards = defineContract('cards', {
      charge: { input: z.object({ how: z.string() }), output: z.null(), risk: 'irreversible' },
    })
    const charge = createParticipant({
      ...openStoreInbox(store, systemHash),
      clock: createSystemClock(),
      effects: 'outside',
    }).serve(cards.charge, {
      do(_tx, { how }, hop) {
        if (how === 'throw') throw new Error('the processor hung up')
        return how === 'fail' ? hop.fail() : hop.refuse('policy.denied')
      },
    })
    const ask = (how: string, key = how): Promise<unknown> =>
      Promise.resolve(charge.do({ how }, fakeHop({ capability: 'cards:charge', saga: command(key) })))
    const lookup = (key: string): unknown =>
      charge.lookup?.(fakeHop({ capability: 'cards:charge', saga: command(key, { phase: 'lookup' }) }))
    await expect(ask('throw')).rejects.toThrow('the processor hung up')
    expect(await lookup('throw')).toMatchObject(unknown)
    expect(await ask('fail', 'throw')).toMatchObject(unknown)
    for (const how of ['fail', 'refuse']) {
      expect(await ask(how)).toMatchObject({ kind: how === 'fail' ? 'nothing-done' : 'refusal' })
      expect(await lookup(how)).toEqual({ found: 'absent' })
    }
    await store.close()
  })
})

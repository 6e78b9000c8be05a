import type { Outcome } from '@parley/mesh'
import { formatBounceSubject, formatInboxSubject } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createRogue, type Received, type Rogue } from '../integration/rogue.ts'
import { shop } from '../integration/shop.ts'
import { createStranger } from '../integration/stranger.ts'
import { openAttackLab, type AttackLab } from './attack-lab.ts'
import { refusedWith } from './impact.ts'

// Attacks on who asked: answers that are not those of whom it asked, and a bus that says that nobody listens.

interface Asked {
  readonly request: Received
  /** Undefined while the call waits. */
  ended(): Outcome | undefined
}

interface AnsweringLab extends AttackLab {
  /** Plays a shop by hand, so that it can answer whatever it wants. */
  readonly played: Rogue
  /** Lets the desk ask the played shop. */
  ask(welcome?: Readonly<Record<string, unknown>>): Promise<Asked>
}

async function openAnsweringLab(): Promise<AnsweringLab> {
  const lab = await openAttackLab()
  const { mesh, desk } = lab
  const played = await createRogue(mesh, 'acme/played', { serves: ['shop:buy'] })
  const announce = (): Promise<void> =>
    played.emit('card', { boot: 'b', serves: { 'shop:buy': shop.buy.hash }, leaving: false })
  await announce()
  return {
    ...lab,
    played,
    async attack(act, victim) {
      // Nobody keeps the played shop announced but this.
      await announce()
      return lab.attack(act, victim)
    },
    async ask() {
      let outcome: Outcome | undefined
      void desk.tryCall(shop.buy, { item: 'x' }, { to: 'acme/played', deadlineMs: 60_000 }).then((told) => {
        outcome = told
      })
      await mesh.clock.settle()
      if (played.last().header.type === 'hello') await played.send(desk.instance, welcomeTo(played))
      return { request: played.last(), ended: () => outcome }
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  }
}

/** The welcome to the last hello. */
const welcomeTo = (played: Rogue, changes: object = {}) =>
  played.hello({ type: 'welcome', inReplyTo: played.last().leaf, version: 1, suite: 1, ...changes })

const sold = (receipt: string) => ({ outcome: { kind: 'ok', output: { receipt } } })
const reply = (request: Received, counter: number, header: object = {}) => ({
  header: { type: 'reply', session: request.header.session, counter, inReplyTo: request.leaf, ...header },
})

describe('an answer', () => {
  it('reply swapped: for that of another call, session, instance or body (T34)', async () => {
    await using lab = await openAnsweringLab()
    const { desk, played } = lab
    const [one, two] = [await lab.ask(), await lab.ask()]
    const sibling = await createRogue(lab.mesh, 'acme/played', { serves: ['shop:buy'] })
    const session = await sibling.shake(desk.instance)
    const attack = (who: Rogue, envelope: object, body: object = sold('forged')) =>
      lab.attack(() => who.send(desk.instance, { header: {}, ...envelope, body }), desk)
    const unasked = refusedWith('iatp.misaddressed', 1)
    const noSession = refusedWith('iatp.session-unknown', 1)
    expect(await attack(sibling, reply(one.request, 1, { session }))).toEqual(unasked)
    expect(await attack(sibling, reply(one.request, 2))).toEqual(noSession)
    expect(await attack(played, reply(one.request, 3, { session }))).toEqual(noSession)
    expect(await attack(played, reply(one.request, 4, { inReplyTo: 'A'.repeat(43) }))).toEqual(unasked)
    expect(await attack(sibling, { header: { type: 'refusal', inReplyTo: one.request.leaf } })).toEqual(unasked)
    // The wire gives each answer the body of the other.
    const frames = [
      await played.frame([{ ...reply(one.request, 5, { to: desk.instance }), body: sold('one') }]),
      await played.frame([{ ...reply(two.request, 6, { to: desk.instance }), body: sold('two') }]),
    ].map(({ bytes }) => bytes)
    const bodyBytes = Buffer.byteLength(JSON.stringify(sold('one')))
    const subject = formatInboxSubject('main', desk.instance, played.did)
    for (const [at, frame] of frames.entries()) {
      const other = frames[1 - at] ?? frame
      const swapped = Buffer.concat([frame.subarray(0, -bodyBytes), other.subarray(-bodyBytes)])
      const impact = await lab.attack(() => played.publish(subject, swapped), desk)
      expect(impact).toEqual(refusedWith('identity.signature-invalid', 1))
    }
    expect([one.ended(), two.ended()]).toEqual([undefined, undefined])
    // In the other order, each settles what it was made for; once.
    for (const frame of frames.toReversed()) await played.publish(subject, frame)
    expect([one.ended(), two.ended()]).toMatchObject([{ output: { receipt: 'one' } }, { output: { receipt: 'two' } }])
    for (const frame of frames)
      expect(await lab.attack(() => played.publish(subject, frame), desk)).toEqual(refusedWith('iatp.replayed', 1))
  })

  it('forged 503: wherever it is published, what was asked stays asked (T43)', async () => {
    await using lab = await openAnsweringLab()
    const { desk, played } = lab
    const { request, ended } = await lab.ask()
    const stranger = createStranger(lab.mesh)
    const me = desk.instance
    for (const subject of [
      formatInboxSubject('main', me, me),
      formatInboxSubject('main', me, played.did),
      formatInboxSubject('main', me, stranger.did),
      formatBounceSubject('main', me, 'A'.repeat(16)),
    ])
      for (const text of ['', 'NATS/1.0 503\r\n\r\n']) {
        const act = (): Promise<void> => played.publish(subject, new TextEncoder().encode(text))
        expect(await lab.attack(act, desk), subject).toEqual(refusedWith('iatp.frame-malformed', 0))
        expect(ended()).toBeUndefined()
      }
    await played.send(desk.instance, { ...reply(request, 1), body: sold('kept') })
    expect(ended()).toMatchObject({ kind: 'ok', output: { receipt: 'kept' } })
  })

  it('downgraded version or suite: by the welcome that chooses, or that offers less than was agreed', async () => {
    for (const [changes, code] of [
      [{ version: 0 }, 'iatp.downgraded'],
      [{ suite: 0 }, 'iatp.downgraded'],
      [{ suite: 2 }, 'iatp.downgraded'],
      [{ suites: [] }, 'iatp.suite-unsupported'],
      [{ versions: [0] }, 'iatp.version-unsupported'],
    ] as const) {
      await using lab = await openAnsweringLab()
      const { desk, played } = lab
      let outcome: Outcome | undefined
      void desk.tryCall(shop.buy, { item: 'x' }, { to: 'acme/played', deadlineMs: 60_000 }).then((told) => {
        outcome = told
      })
      await lab.mesh.clock.settle()
      const impact = await lab.attack(() => played.send(desk.instance, welcomeTo(played, changes)), desk)
      expect(impact).toEqual(refusedWith(code, 1))
      expect(outcome).toMatchObject({ kind: 'refused', code, hop: { sent: false } })
      expect(played.inbox.map(({ header }) => header.type)).toEqual(['hello'])
    }
  })

  it('downgraded version or suite: by a ready, or on the wire', async () => {
    await using lab = await openAttackLab()
    const { rogue, counter } = lab
    for (const changes of [{ version: 2 }, { suite: 0 }]) {
      const [helloLeaf = ''] = await rogue.send(counter.instance, rogue.hello())
      const welcome = rogue.last()
      const session = rogue.sessionOf(helloLeaf, welcome.leaf)
      const ready = { type: 'ready', session, inReplyTo: welcome.leaf, version: 1, suite: 1, ...changes }
      const act = (): Promise<unknown> => rogue.send(counter.instance, { header: ready })
      expect(await lab.attack(act)).toEqual(refusedWith('iatp.downgraded', 1))
      const without = await lab.attack(() => rogue.send(counter.instance, lab.buying(1, { session })))
      expect(without).toEqual(refusedWith('iatp.session-unknown', 1, { answers: 1 }))
    }
    const hello = await lab.frame({ header: { to: counter.instance, ...rogue.hello({ suites: [3, 1] }).header } })
    const stripped = Buffer.from(Buffer.from(hello).toString('latin1').replace('[3,1]', '[0,1]'), 'latin1')
    const impact = await lab.attack(() => rogue.publish(lab.inbox(), stripped))
    expect(impact).toEqual(refusedWith('identity.signature-invalid', 1))
  })
})

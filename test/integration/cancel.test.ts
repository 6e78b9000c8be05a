import type { Outcome } from '@parley/mesh'
import { systemHash } from '@parley/ports'
import { decodeFrame } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createRogue } from './rogue.ts'
import { hopsOf, openStudio } from './studio.ts'
import { tapWire } from './wire.ts'

/** The leaf of the last envelope of a frame. */
function leafOf(data: Uint8Array): string {
  const decoded = decodeFrame(systemHash, data)
  if (decoded.kind === 'deny') throw new Error(decoded.code)
  return Buffer.from(decoded.frame.envelopes.at(-1)?.leaf ?? []).toString('base64url')
}

describe('a cancel', () => {
  it('is answered by what the handler did all the same', async () => {
    await using open = await openStudio(
      ({ frames }, hop) =>
        new Promise((resolve) => {
          hop.signal.addEventListener('abort', () => {
            resolve({ frames: frames - 1 })
          })
        }),
    )
    const controller = new AbortController()
    const wire = tapWire(open.mesh.bus)
    const outcome = open.render({ signal: controller.signal })
    await open.mesh.clock.settle()
    controller.abort()
    expect(await outcome).toMatchObject({ kind: 'ok', output: { frames: 2 } })
    expect(wire.headers().at(-1)).toMatchObject({ type: 'closed' })
    expect(hopsOf(open.mesh, open.studio)).toMatchObject([{ outcome: 'ok' }])
  })

  it('is answered by a failure when the handler says that it did nothing', async () => {
    await using open = await openStudio(
      (_, hop) =>
        new Promise((resolve) => {
          hop.signal.addEventListener('abort', () => {
            resolve(hop.fail({ retryable: true }))
          })
        }),
    )
    const controller = new AbortController()
    const outcome = open.render({ signal: controller.signal })
    await open.mesh.clock.settle()
    controller.abort()
    expect(await outcome).toMatchObject({ kind: 'failed', code: 'hop.cancelled', retryable: true })
  })

  it('is answered by whether the handler has ended when nobody knows what it did', async () => {
    const stopped: unknown[] = []
    for (const heeds of [true, false]) {
      await using open = await openStudio(
        (_, hop) =>
          new Promise((_resolve, reject) => {
            if (heeds)
              hop.signal.addEventListener('abort', () => {
                reject(new Error('broken off'))
              })
          }),
      )
      const controller = new AbortController()
      const outcome = open.render({ signal: controller.signal })
      await open.mesh.clock.settle()
      controller.abort()
      await open.mesh.clock.advance(heeds ? 0 : 250)
      const ended = await outcome
      expect(ended).toMatchObject({ kind: 'unknown', code: 'hop.cancelled' })
      stopped.push(ended.kind === 'unknown' && ended.stopped)
    }
    expect(stopped).toEqual([true, false])
  })

  it('whose answer is lost ends the call a second later, without a word of what stopped', async () => {
    await using open = await openStudio(() => new Promise<never>(() => undefined))
    const controller = new AbortController()
    let ended: Outcome | undefined
    void open.render({ signal: controller.signal, deadlineMs: 60_000 }).then((outcome) => (ended = outcome))
    await open.mesh.clock.settle()
    open.mesh.disconnect(open.studio)
    controller.abort()
    await open.mesh.clock.advance(999)
    expect(ended).toBeUndefined()
    await open.mesh.clock.advance(1)
    expect(ended).toMatchObject({ kind: 'unknown', code: 'hop.cancelled' })
    expect(ended).not.toHaveProperty('stopped')
  })

  it('costs neither side anything', async () => {
    await using open = await openStudio(
      (_, hop) =>
        new Promise((_resolve, reject) => {
          hop.signal.addEventListener('abort', () => {
            reject(new Error('broken off'))
          })
        }),
    )
    for (let call = 0; call < 30; call++) {
      const controller = new AbortController()
      const outcome = open.render({ signal: controller.signal })
      await open.mesh.clock.settle()
      controller.abort()
      expect(await outcome).toMatchObject({ kind: 'unknown', code: 'hop.cancelled' })
    }
    const scores = [open.desk, open.studio].flatMap((node) => hopsOf(open.mesh, node).map(({ score }) => score))
    expect(new Set(scores)).toEqual(new Set([500]))
  })

  it('of another does nothing', async () => {
    await using open = await openStudio(({ frames }, _hop, wait) => wait(500).then(() => ({ frames })))
    const wire = tapWire(open.mesh.bus)
    const outcome = open.render()
    await open.mesh.clock.settle()
    const rogue = await createRogue(open.mesh, 'acme/desk', { calls: ['films:render'] })
    const session = await rogue.shake(open.studio.instance)
    const asked = wire.unitOf('request')
    expect(asked.subject).toContain(open.desk.instance.slice(8))
    await open.mesh.clock.settle()
    await rogue.send(open.studio.instance, {
      header: { type: 'cancel', session, counter: 1, inReplyTo: leafOf(asked.data) },
    })
    expect(open.signals[0]?.aborted).toBe(false)
    await open.mesh.clock.advance(500)
    expect((await outcome).kind).toBe('ok')
  })
})

import type { AskedCommand } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { createRogue } from './rogue.ts'
import { asked, command, countedBy, createBuilder, mail, openTown, outliveTheDesk, site } from './town.ts'
import { tapWire } from './wire.ts'

describe('settle', () => {
  it.each<[string, Partial<AskedCommand>]>([
    ['another responder', { of: 'acme/desk' }],
    ['a responder of an unknown owner', { of: 'nobody/builder' }],
    ['another instance', { instance: 'did:key:z6MkOther' }],
    ['another request', { leaf: 'A'.repeat(43) }],
    ['another saga', { saga: { ...command, id: 'move-8' } }],
    ['another step', { saga: { ...command, step: 'garden' } }],
    ['another attempt', { saga: { ...command, attempt: 1 } }],
    ['another epoch', { saga: { ...command, epoch: 4 } }],
    ['another key', { saga: { ...command, key: 'k' } }],
    ['another phase', { saga: { ...command, phase: 'undo' } }],
    ['another capability', { capability: { ...site.build, capability: 'site:raze' } }],
    ['another contract', { capability: { ...site.build, hash: 'A'.repeat(43) } }],
  ])('T10: refuses the outcome of %s, and records it', async (_, other) => {
    await using town = await openTown()
    const mailed = await outliveTheDesk(town)
    expect(await mailed.settle({ ...asked, ...other })).toMatchObject({ kind: 'deny', code: 'iatp.outcome-mismatch' })
    expect(await town.recordsOf(town.sibling, 'outcome')).toMatchObject([
      { outcome: 'refused', code: 'iatp.outcome-mismatch', inReplyTo: mailed.inReplyTo },
    ])
    expect((await mailed.settle(asked)).kind).toBe('allow')
  })

  it('T10: refuses what another agent that may serve the same signed about our command', async () => {
    await using town = await openTown()
    await mail(await createRogue(town.mesh, 'acme/quick', { serves: ['site:build'] }), town)
    expect(town.mails).toHaveLength(1)
    expect(await town.mails[0]?.settle(asked)).toMatchObject({ code: 'iatp.outcome-mismatch' })
  })

  it('refuses when it is given nothing to match by', async () => {
    await using town = await openTown()
    const mailed = await outliveTheDesk(town)
    const { saga: _command, ...nothing } = asked
    expect(await mailed.settle(nothing)).toMatchObject({ code: 'iatp.outcome-mismatch' })
    expect((await mailed.settle({ ...nothing, leaf: mailed.inReplyTo })).kind).toBe('allow')
  })

  it('writes no log without end of what matches nothing', async () => {
    await using town = await openTown()
    const rogue = await createBuilder(town)
    for (let at = 0; at < 60; at++) {
      await mail(rogue, town, { saga: { ...command, id: `other-${String(at)}` } })
      await town.mails.at(-1)?.settle(asked)
    }
    expect(town.mails).toHaveLength(60)
    expect(await town.recordsOf(town.sibling, 'outcome')).toHaveLength(32)
    expect(await countedBy(town)).toEqual(['iatp.outcome-mismatch=28'])
  })
})

describe('beforeSend', () => {
  it('knows the leaf and the instance before anything has left', async () => {
    await using town = await openTown()
    const wire = tapWire(town.mesh.bus)
    const seen: unknown[] = []
    const ended = town.build({
      async beforeSend(request) {
        await Promise.resolve()
        seen.push({ ...request, left: wire.headers().filter(({ type }) => type === 'request').length })
      },
    })
    await town.mesh.clock.settle()
    await town.finish({ keys: 2 })
    const { hop } = await ended
    expect(seen).toEqual([
      {
        leaf: hop.leaf,
        peer: { owner: town.builder.owner, name: 'acme/builder', instance: town.builder.instance },
        left: 0,
      },
    ])
    expect(town.mails[0]?.inReplyTo).toBe(hop.leaf)
  })

  it('that throws sends nothing', async () => {
    await using town = await openTown()
    const wire = tapWire(town.mesh.bus)
    const ended = await town.build({ beforeSend: () => Promise.reject(new Error('the disk is full')) })
    expect(ended).toMatchObject({ kind: 'refused', code: 'hop.stage-failed', hop: { sent: false } })
    await town.mesh.clock.settle()
    expect(wire.headers().map(({ type }) => type)).not.toContain('request')
  })
})

import type { MailedOutcome } from '@parley/mesh'
import { systemHash } from '@parley/ports'
import { formatMailboxSubject, formatMailboxToken, verifyEvidence } from '@parley/protocol'
import { verifySignature } from '@parley/identity'
import { describe, expect, it } from 'vitest'
import { createRogue } from './rogue.ts'
import {
  asked,
  command,
  countedBy,
  createBuilder,
  mail,
  openTown,
  outcomeBy,
  outliveTheDesk,
  site,
  type BuildHop,
} from './town.ts'
import { readHeaders, tapWire } from './wire.ts'

describe('an outcome in a mailbox', () => {
  it('reaches another instance of the name when the one that asked is gone, and is matched and recorded', async () => {
    await using town = await openTown()
    const wire = tapWire(town.mesh.bus)
    const mailed = await outliveTheDesk(town)
    const leaf = wire.headers().find(({ type }) => type === 'accepted')?.inReplyTo
    expect(mailed).toMatchObject({
      inReplyTo: leaf,
      capability: 'site:build',
      saga: command,
      responder: { name: 'acme/builder', instance: town.builder.instance },
    })
    const whole = { ...asked, instance: town.builder.instance, ...(leaf === undefined ? {} : { leaf }) }
    expect(await mailed.settle(whole)).toEqual({ kind: 'allow', outcome: { kind: 'ok', output: { keys: 2 } } })
    expect(await town.recordsOf(town.sibling, 'outcome')).toMatchObject([
      { inReplyTo: leaf, peer: 'acme/builder', outcome: 'ok', saga: 'move-7', step: 'house', attempt: 2, epoch: 3 },
    ])
    expect(await town.recordsOf(town.builder, 'hop')).toMatchObject([{ leaf, outcome: 'ok', mailed: true }])
  })

  it('is evidence by itself: its signer, its request and its credential are in the bytes', async () => {
    await using town = await openTown()
    const mailed = await outliveTheDesk(town)
    const result = verifyEvidence(systemHash, mailed.evidence(), verifySignature)
    if (result.kind === 'deny') throw new Error(result.reason)
    const { header, body } = result.verified
    expect(header).toMatchObject({ type: 'outcome', from: town.builder.instance, inReplyTo: mailed.inReplyTo })
    expect(JSON.parse(Buffer.from(body ?? []).toString())).toMatchObject({ outcome: { kind: 'ok' } })
    const claims = Buffer.from(header.credential?.split('.')[1] ?? '', 'base64url').toString()
    expect(claims).toContain('acme/builder')
  })

  it.each([
    ['declined', (hop: BuildHop) => hop.decline('flooded', { cm: 4 }), { error: { name: 'flooded' } }],
    ['refused', (hop: BuildHop) => hop.refuse('saga.stale-epoch'), { code: 'saga.stale-epoch' }],
    ['failed', (hop: BuildHop) => hop.fail(), { code: 'contract.handler-failed' }],
    ['unknown', () => Promise.reject(new Error('a secret')), { code: 'contract.handler-failed' }],
  ])('tells of every end: %s', async (kind, result, more) => {
    await using town = await openTown()
    const mailed = await outliveTheDesk(town, result)
    const settled = await mailed.settle(asked)
    expect(settled).toMatchObject({ kind: 'allow', outcome: { kind, ...more } })
    expect(JSON.stringify(settled)).not.toContain('secret')
  })

  it('comes beside the reply to whoever asked, and to no instance that does not listen', async () => {
    await using town = await openTown()
    const wire = tapWire(town.mesh.bus)
    const ended = town.build()
    await town.mesh.clock.settle()
    await town.finish({ keys: 2 })
    expect(await ended).toMatchObject({ kind: 'ok' })
    expect(town.mails).toHaveLength(1)
    expect(wire.units.filter((unit) => readHeaders(unit)[0]?.type === 'outcome')).toHaveLength(1)
    const plain = town.build({ mailbox: false })
    await town.mesh.clock.settle()
    await town.finish({ keys: 3 })
    expect(await plain).toMatchObject({ kind: 'ok' })
    expect(town.mails).toHaveLength(1)
  })

  it('does not tell what was asked in secret: the reader has to look it up', async () => {
    await using town = await openTown()
    const wire = tapWire(town.mesh.bus)
    const call = await town.desk.tryCall(site.survey, { house: 'elm 3' }, { mailbox: true, saga: command })
    expect(call).toMatchObject({ kind: 'ok' })
    await town.mesh.clock.settle()
    const settled = await town.mails[0]?.settle({ capability: site.survey, of: 'acme/builder', saga: command })
    expect(settled).toEqual({ kind: 'allow', outcome: { kind: 'unknown', code: 'iatp.outcome-withheld' } })
    expect(wire.units.some(({ data }) => Buffer.from(data).includes('cellar'))).toBe(false)
  })

  it.each([['declined'], [undefined]])(
    'that says in its header that it ended %s, and in its body ok, is not heard',
    async (ended) => {
      await using town = await openTown()
      const builder = await createBuilder(town)
      await mail(builder, town, { ended })
      expect(town.mails).toHaveLength(0)
      await mail(builder, town)
      expect(town.mails).toHaveLength(1)
    },
  )

  it('that does not fit the contract leaves it unknown what was done', async () => {
    await using town = await openTown()
    const builder = await createBuilder(town)
    const { bytes } = await builder.frame([
      { ...outcomeBy(builder, town), body: { outcome: { kind: 'ok', output: { keys: 'two' } } } },
    ])
    await builder.publish(formatMailboxSubject('main', town.mailbox, builder.did), bytes)
    const settled = await town.mails[0]?.settle(asked)
    expect(settled).toEqual({ kind: 'allow', outcome: { kind: 'unknown', code: 'contract.output-invalid' } })
  })
})

describe('a mailbox', () => {
  it('of another name is refused at the callee: nothing is done, nothing is sent there', async () => {
    await using town = await openTown()
    const wire = tapWire(town.mesh.bus)
    const thief = await createRogue(town.mesh, 'acme/thief', { calls: ['site:build'] })
    const session = await thief.shake(town.builder.instance)
    const header = { mailbox: town.mailbox, saga: command }
    await thief.send(town.builder.instance, thief.request(session, 1, site.build, { header, body: { house: 'x' } }))
    expect(thief.last().body).toMatchObject({ outcome: { kind: 'refused', code: 'iatp.mailbox-foreign' } })
    expect(town.mails).toEqual([])
    expect(wire.headers().filter(({ type }) => type === 'outcome' || type === 'accepted')).toEqual([])
    expect(await town.recordsOf(town.builder, 'hop')).toMatchObject([
      { stage: 'mailbox', code: 'iatp.mailbox-foreign' },
    ])
  })

  it('of the own name under another owner’s is another one', async () => {
    await using town = await openTown()
    const other = formatMailboxToken(systemHash, { owner: 'did:key:z6MkOther', name: 'acme/desk' })
    expect(other).not.toBe(town.mailbox)
    const desk = await createRogue(town.mesh, 'acme/desk', { calls: ['site:build'] })
    const session = await desk.shake(town.builder.instance)
    await desk.send(town.builder.instance, desk.request(session, 1, site.build, { header: { mailbox: other } }))
    expect(desk.last().body).toMatchObject({ outcome: { code: 'iatp.mailbox-foreign' } })
  })

  it('hears nobody whose credential does not let it serve the capability', async () => {
    await using town = await openTown()
    await mail(await createRogue(town.mesh, 'acme/liar', { serves: ['other:thing'] }), town)
    expect(town.mails).toEqual([])
    expect(await countedBy(town)).toEqual(['iatp.outcome-mismatch=1'])
  })

  it('hears a copy once, and after a restart no more than it told before', async () => {
    await using town = await openTown()
    const wire = tapWire(town.mesh.bus)
    await outliveTheDesk(town)
    const { subject, data } = wire.unitOf('outcome')
    const copier = town.mesh.bus.connect()
    for (let copy = 0; copy < 3; copy++) copier.publish(subject, data)
    await town.mesh.clock.settle()
    expect(town.mails).toHaveLength(1)
    expect(await countedBy(town)).toEqual(['iatp.replayed=3'])
    const later: MailedOutcome[] = []
    await town.mesh.node('acme/desk', {
      serve: (node) => {
        node.onOutcome((mailed) => void later.push(mailed))
      },
    })
    copier.publish(subject, data)
    await town.mesh.clock.settle()
    expect(later.map(({ leaf }) => leaf)).toEqual(town.mails.map(({ leaf }) => leaf))
    expect(await later[0]?.settle({ ...asked, saga: { ...command, attempt: 3 } })).toMatchObject({
      code: 'iatp.outcome-mismatch',
    })
  })

  it('takes no forged outcome: another key, other bytes, a stolen credential, another subject', async () => {
    await using town = await openTown()
    const wire = tapWire(town.mesh.bus)
    const thief = await createRogue(town.mesh, 'acme/thief', { serves: ['site:build'] })
    await outliveTheDesk(town)
    const { subject, data } = wire.unitOf('outcome')
    const { bytes } = await thief.frame([outcomeBy(thief, town)])
    await thief.publish(subject, bytes)
    await thief.publish(
      subject,
      Buffer.from(Buffer.from(data).toString('latin1').replace('"keys":2', '"keys":8'), 'latin1'),
    )
    const [stolen] = wire.headers().filter(({ type }) => type === 'outcome')
    await mail(thief, town, { credential: stolen?.credential, statement: stolen?.statement })
    await thief.publish(formatMailboxSubject('main', 'f'.repeat(64), thief.did), bytes)
    await thief.publish(formatMailboxSubject('main', town.mailbox, thief.did), data)
    expect(town.mails).toHaveLength(1)
    expect(await countedBy(town)).toEqual(['identity.credential-mismatch=1', 'identity.signature-invalid=3'])
  })

  it('takes none of a callee that was revoked or whose outcome has expired', async () => {
    await using town = await openTown()
    const builder = await createBuilder(town)
    const { bytes } = await builder.frame([outcomeBy(builder, town)])
    await town.mesh.clock.advance(120_000)
    await builder.publish(formatMailboxSubject('main', town.mailbox, builder.did), bytes)
    await town.sibling.acceptOrder(await town.mesh.issuer.order('revoke', builder.did))
    await mail(builder, town)
    expect(town.mails).toEqual([])
    expect(await countedBy(town)).toEqual(['iatp.lifetime=1', 'identity.revoked=1'])
  })

  it('goes on when one of its listeners throws', async () => {
    const heard: string[] = []
    await using town = await openTown()
    await town.mesh.node('acme/desk', {
      serve(node) {
        node.onOutcome(() => {
          throw new Error('a listener that throws')
        })
        node.onOutcome(({ leaf }) => void heard.push(leaf))
      },
    })
    const mailed = await outliveTheDesk(town)
    expect(heard).toEqual([mailed.leaf])
  })

  it('has to be listened to before the start', async () => {
    await using town = await openTown()
    expect(() => {
      town.desk.onOutcome(() => undefined)
    }).toThrow(expect.objectContaining({ code: 'mesh.config-invalid' }))
  })
})

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLocalIssuer, createNatsAccount, generateInstanceKeys, type LocalIssuer } from '@parley/identity'
import { createNode, type MailedOutcome, type SagaCommand, type SealedRequest } from '@parley/mesh'
import { createSeededRandom, createSystemClock, systemHash } from '@parley/ports'
import { formatMailboxPattern, formatMailboxToken } from '@parley/protocol'
import { connectNats } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { random, seeds, startOperatorFence, type Fence } from './fence.ts'
import { site, type Asking } from './mailbox-site.ts'

const command: SagaCommand = {
  id: 'move-7',
  step: 'house',
  attempt: 1,
  epoch: 3,
  key: 'acme/desk/move-7/house',
  phase: 'do',
  expiresAtMs: 4_000_000_000_000,
}

let fence: Fence & { readonly facts: Parameters<typeof createNatsAccount>[0] }
let issuer: LocalIssuer
beforeAll(async () => {
  fence = await startOperatorFence()
  const natsAccount = createNatsAccount(fence.facts, seeds)
  issuer = createLocalIssuer({ alias: 'acme', clock: createSystemClock(), random, natsAccount })
}, 180_000)
afterAll(async () => {
  await fence.server.stop()
})

/** Starts a process that asks for work, with a login of its own behind the fence. */
async function startAsker(seed: number): Promise<ReturnType<typeof fork>> {
  const { signer, nkey } = generateInstanceKeys(createSeededRandom(seed))
  const issued = await issuer.issue({
    name: 'acme/desk',
    instance: signer.did,
    serves: [],
    calls: ['site:build'],
    nkey: nkey.nkey,
  })
  const asking: Asking = { url: fence.server.url, seed, command }
  return fork(join(import.meta.dirname, 'mailbox-asker.ts'), [
    JSON.stringify({ ...asking, anchor: issuer.anchor, issued }),
  ])
}

/** Opens a login behind the fence, without a node. */
async function logIn(name: string) {
  const keys = generateInstanceKeys(random)
  const nkey = keys.nkey.nkey
  const { natsUser = '' } = await issuer.issue({ name, instance: keys.signer.did, serves: [], calls: [], nkey })
  return connectNats({ servers: fence.server.url, nkey: keys.nkey.seed, jwt: natsUser })
}

describe('a mailbox behind a fence', () => {
  it('gives a sibling the outcome of work whose asker was killed, and nobody of another name', async () => {
    const nats = fence.server.url
    const begun = Promise.withResolvers<(result: { readonly keys: number }) => void>()
    await using builder = await createNode({ name: 'acme/builder', issuer, serves: [site], nats })
    builder.serve(site, {
      build: (_, hop) => {
        hop.accept(60_000)
        return new Promise((end) => {
          begun.resolve(end)
        })
      },
    })
    await builder.start()
    const heard = Promise.withResolvers<MailedOutcome>()
    const overheard: unknown[] = []
    await using sibling = await createNode({ name: 'acme/desk', issuer, calls: [site.build], nats })
    sibling.onOutcome(heard.resolve)
    await sibling.start()
    await using spy = await createNode({ name: 'acme/spy', issuer, calls: [site.build], nats })
    spy.onOutcome((mailed) => void overheard.push(mailed))
    await spy.start()

    const asker = await startAsker(7)
    const [sent] = (await once(asker, 'message')) as unknown as readonly [SealedRequest]
    const end = await begun.promise
    const exited = once(asker, 'exit')
    asker.kill('SIGKILL')
    expect(await exited).toEqual([null, 'SIGKILL'])
    end({ keys: 2 })

    const mailed = await heard.promise
    const { leaf, peer } = sent
    const asked = { capability: site.build, of: 'acme/builder', instance: peer.instance, leaf, saga: command } as const
    expect(peer.instance).toBe(builder.instance)
    expect(await mailed.settle(asked)).toEqual({ kind: 'allow', outcome: { kind: 'ok', output: { keys: 2 } } })
    expect(await mailed.settle({ ...asked, saga: { ...command, epoch: 2 } })).toMatchObject({
      code: 'iatp.outcome-mismatch',
    })
    await sleep(100)
    expect(overheard).toEqual([])
  })

  it('cannot be listened to by an instance of another name', async () => {
    const agent = { owner: issuer.owner, name: 'acme/desk' } as const
    const pattern = formatMailboxPattern('main', formatMailboxToken(systemHash, agent))
    const [desk, spy] = [await logIn('acme/desk'), await logIn('acme/spy')]
    try {
      const stop = await desk.subscribe(pattern, () => undefined)
      stop()
      await expect(spy.subscribe(pattern, () => undefined)).rejects.toMatchObject({ code: 'transport.not-permitted' })
      await expect(spy.subscribe('iatp.1.main.mailbox.*.*', () => undefined)).rejects.toMatchObject({
        code: 'transport.not-permitted',
      })
    } finally {
      await Promise.all([desk.close(), spy.close()])
    }
  })
})

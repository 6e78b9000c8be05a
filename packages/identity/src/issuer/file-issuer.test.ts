import { copyFile, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createManualClock, createSeededRandom, type Clock } from '@parley/ports'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAnchors, parseAnchor } from '../credential/anchor.ts'
import { verifyCredential } from '../credential/verify-credential.ts'
import { verifyDelegationChain } from '../delegation/delegation-chain.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createOrderBook } from '../order/order-book.ts'
import { initFileIssuer, openFileIssuer, renewIssuerStatement } from './file-issuer.ts'
import { appendOrder } from './order-folder.ts'

const day = 86_400_000
const random = createSeededRandom(11)
const instance = createKeySigner(generateSeed(random)).did
const request = { name: 'acme/flights', instance, serves: ['flights:*'], calls: [] }
let dir = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-issuer-'))
})

afterEach(async () => {
  await rm(dir, { recursive: true })
})

/** Signs the second order as another process does that finds the first one sound. */
async function appendOrderFrom(clock: Clock, first: string): Promise<{ readonly order: string }> {
  const path = join(dir, 'orders/00000001.jwt')
  const now = await readFile(path, 'utf8')
  await writeFile(path, `${first}\n`)
  const appended = await appendOrder({ dir, clock, random }, 'revoke', 'acme/two')
  await writeFile(path, now)
  return appended
}

describe('openFileIssuer', () => {
  it('issues and delegates for the owner that initFileIssuer made', async () => {
    const clock = createManualClock()
    const anchor = await initFileIssuer({ dir, alias: 'acme', clock, random })
    const issuer = await openFileIssuer({ dir, clock, random })
    expect(issuer.anchor).toEqual(anchor)
    expect(parseAnchor(JSON.parse(await readFile(join(dir, 'anchor.json'), 'utf8')))).toEqual(anchor)
    for (const file of ['owner.key', 'issuer.key']) expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600)
    const expected = { anchors: createAnchors([anchor]), nowMs: clock.now() }
    const verdict = verifyCredential(await issuer.issue(request), { ...expected, instance })
    expect(verdict).toMatchObject({ kind: 'allow', credential: { owner: issuer.owner } })
    const links = await issuer.delegate({ to: 'acme/trips', capabilities: ['flights:reserve'], forMs: 1000 })
    const delegate = { owner: issuer.owner, name: 'acme/trips' } as const
    expect(verifyDelegationChain(links, { ...expected, delegate })).toMatchObject({ kind: 'allow' })
  })

  it('numbers orders over restarts, and signs heads without the key of the owner', async () => {
    const clock = createManualClock()
    const anchor = await initFileIssuer({ dir, alias: 'acme', clock, random })
    const first = await (await openFileIssuer({ dir, clock, random })).order('revoke', 'acme/one')
    const issuer = await openFileIssuer({ dir, clock, random })
    const second = await issuer.order('kill', 'acme/two')
    await rm(join(dir, 'owner.key'))
    await expect(issuer.order('kill', 'acme/three')).rejects.toMatchObject({ code: 'identity.key-file-invalid' })
    const news = await issuer.orderNews(0)
    expect(news.orders).toEqual([first, second])
    const book = createOrderBook({ anchors: createAnchors([anchor]) })
    for (const order of news.orders) expect(book.accept(order, clock.now()).kind).toBe('allow')
    expect(book.acceptHead(news.head, clock.now())).toEqual({ kind: 'allow' })
    expect((await issuer.orderNews(0)).head).toBe(news.head)
    await clock.advance(10_000)
    const later = await issuer.orderNews(1)
    expect(later.orders).toEqual([second])
    expect(book.acceptHead(later.head, clock.now())).toEqual({ kind: 'allow' })
  })

  it('checks each order once, tells one that another process signed, and refuses a folder that was changed', async () => {
    const clock = createManualClock()
    await initFileIssuer({ dir, alias: 'acme', clock, random })
    const issuer = await openFileIssuer({ dir, clock, random })
    const path = (sequence: number): string => join(dir, `orders/0000000${String(sequence)}.jwt`)
    const first = await issuer.order('revoke', 'acme/one')
    expect((await issuer.orderNews(0)).orders).toEqual([first])
    // What was checked is not read again: a file is written once.
    await writeFile(path(1), 'damaged')
    const { order: second } = await appendOrderFrom(clock, first)
    expect((await issuer.orderNews(0)).orders).toEqual([first, second])
    await writeFile(path(3), `${first}\n`)
    await expect(issuer.orderNews(0)).rejects.toMatchObject({ code: 'identity.order-stale' })
    await rm(path(3))
    await rm(path(2))
    await expect(issuer.orderNews(0)).rejects.toMatchObject({ code: 'identity.jwt-invalid' })
  })

  it('keeps no order that a node would refuse, and orders on', async () => {
    const clock = createManualClock()
    await initFileIssuer({ dir, alias: 'acme', clock, random })
    const issuer = await openFileIssuer({ dir, clock, random })
    const wrong = { code: 'identity.name-not-owned', message: expect.stringContaining('globex/ann') as string }
    await expect(appendOrder({ dir, clock, random }, 'revoke', 'globex/ann')).rejects.toMatchObject(wrong)
    await expect(issuer.order('kill', 'globex/ann')).rejects.toMatchObject(wrong)
    await expect(stat(join(dir, 'orders'))).rejects.toMatchObject({ code: 'ENOENT' })
    const order = await issuer.order('revoke', 'acme/ann')
    const { sequence } = await appendOrder({ dir, clock, random }, 'revoke', 'acme/bob')
    expect(sequence).toBe(2)
    expect((await issuer.orderNews(0)).orders[0]).toBe(order)
  })

  it('says that an order cannot be kept where it cannot be written, and takes no number for it', async () => {
    const clock = createManualClock()
    await initFileIssuer({ dir, alias: 'acme', clock, random })
    const issuer = await openFileIssuer({ dir, clock, random })
    await symlink(join(dir, 'gone', 'orders'), join(dir, 'orders'))
    await expect(issuer.order('revoke', 'acme/ann')).rejects.toMatchObject({ code: 'identity.issuer-unavailable' })
    await rm(join(dir, 'orders'))
    const order = await issuer.order('revoke', 'acme/ann')
    expect((await issuer.orderNews(0)).orders).toEqual([order])
  })

  it('issues without the key of the owner, but does not delegate', async () => {
    const clock = createManualClock()
    await initFileIssuer({ dir, alias: 'acme', clock, random })
    await rm(join(dir, 'owner.key'))
    const issuer = await openFileIssuer({ dir, clock, random })
    expect(await issuer.issue(request)).toBeDefined()
    await expect(
      issuer.delegate({ to: 'acme/trips', capabilities: ['flights:reserve'], forMs: 1000 }),
    ).rejects.toMatchObject({ code: 'identity.key-file-invalid' })
  })

  it('stops at the end of its statement and goes on when that is renewed', async () => {
    const clock = createManualClock()
    const anchor = await initFileIssuer({ dir, alias: 'acme', clock, random, serves: ['flights:*'] })
    const issuer = await openFileIssuer({ dir, clock, random })
    clock.jump(91 * day)
    await expect(issuer.issue(request)).rejects.toMatchObject({ code: 'identity.issuer-unavailable' })
    await expect(openFileIssuer({ dir, clock, random })).rejects.toThrow(/renewIssuerStatement/)
    await renewIssuerStatement({ dir, clock })
    const expected = { anchors: createAnchors([anchor]), nowMs: clock.now(), instance }
    expect(verifyCredential(await issuer.issue(request), expected).kind).toBe('allow')
    await expect(issuer.issue({ ...request, serves: ['pay:charge'] })).rejects.toMatchObject({
      code: 'identity.issuer-refused',
    })
  })

  it('refuses a statement of another owner', async () => {
    const clock = createManualClock()
    await initFileIssuer({ dir, alias: 'acme', clock, random })
    const other = join(dir, 'other')
    await initFileIssuer({ dir: other, alias: 'acme', clock, random })
    await copyFile(join(other, 'statement.jwt'), join(dir, 'statement.jwt'))
    await expect(openFileIssuer({ dir, clock, random })).rejects.toThrow(/do not belong together/)
  })

  it('refuses a statement that was changed', async () => {
    const clock = createManualClock()
    await initFileIssuer({ dir, alias: 'acme', clock, random, serves: ['flights:*'] })
    const path = join(dir, 'statement.jwt')
    const [header = '', payload = '', signature = ''] = (await readFile(path, 'utf8')).trim().split('.')
    const wider = Buffer.from(payload, 'base64url').toString().replace('"serves":["flights:*"]', '"serves":"all"')
    await writeFile(path, `${header}.${Buffer.from(wider).toString('base64url')}.${signature}`)
    const issuer = await openFileIssuer({ dir, clock, random })
    await expect(issuer.issue(request)).rejects.toMatchObject({ code: 'identity.issuer-unavailable' })
    await expect(renewIssuerStatement({ dir, clock })).rejects.toMatchObject({ code: 'identity.issuer-unavailable' })
  })

  it('says which file is missing', async () => {
    const clock = createManualClock()
    await expect(openFileIssuer({ dir, clock, random })).rejects.toThrow(/anchor\.json/)
  })
})

describe('initFileIssuer', () => {
  it('never replaces an owner', async () => {
    const clock = createManualClock()
    const anchor = await initFileIssuer({ dir, alias: 'acme', clock, random })
    await expect(initFileIssuer({ dir, alias: 'acme', clock, random })).rejects.toMatchObject({
      code: 'identity.key-file-exists',
    })
    expect((await openFileIssuer({ dir, clock, random })).owner).toBe(anchor.owner)
  })

  it('refuses terms that no verifier would accept before it writes anything', async () => {
    const setup = { dir: join(dir, 'new'), alias: 'acme', clock: createManualClock(), random }
    await expect(initFileIssuer({ ...setup, ceiling: 2000 })).rejects.toMatchObject({ code: 'identity.anchor-invalid' })
    await expect(initFileIssuer({ ...setup, serves: ['*'] })).rejects.toMatchObject({ code: 'identity.anchor-invalid' })
    await expect(stat(setup.dir)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

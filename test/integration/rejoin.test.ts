import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatJoinToken } from '@parley/identity'
import { joinMesh, rejoinMesh, type MeshNode } from '@parley/mesh'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openIssuedMesh, type IssuedMesh } from './issued-mesh.ts'
import { shop } from './shop.ts'
import { readHeaders, tapWire } from './wire.ts'

const calls = [shop.look, shop.buy]
const minute = 60_000
/** Hours pass quickly when little happens in them. */
const seldom = { heartbeatMs: 20_000 }

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-rejoin-'))
})
afterEach(() => rm(dir, { recursive: true }))

const path = (): string => join(dir, 'rejoin.json')

/** Creates a node of a process that keeps in `dir` what it needs to come back. */
async function open(mesh: IssuedMesh, token?: string, at = dir): Promise<MeshNode> {
  const issuer = await rejoinMesh({ dir: at, token, random: mesh.random })
  return mesh.node('acme/desk', { calls, issuer, token: await mesh.token('acme/unused') })
}

async function startNext(mesh: IssuedMesh, token?: string, at?: string): Promise<MeshNode> {
  const node = await open(mesh, token, at)
  try {
    await mesh.start(node)
    return node
  } catch (error) {
    await mesh.close(node)
    throw error
  }
}

/** Copies what a process has kept, as a thief or a backup does. */
async function copyKept(to: string): Promise<string> {
  const copy = join(dir, to)
  await rejoinMesh({ dir: copy, token: undefined }).catch(() => undefined)
  await copyFile(path(), join(copy, 'rejoin.json'))
  return copy
}

describe('rejoinMesh', () => {
  it('lets a process come back after each restart, as a new instance, without another token', async () => {
    await using mesh = await openIssuedMesh(seldom)
    let issuer = await mesh.openIssuer()
    const token = await mesh.token('acme/desk', { lifeMs: minute })
    const instances = new Set<string>()
    const kept = new Set<string>()
    for (let start = 0; start < 4; start++) {
      const desk = await startNext(mesh, token)
      expect(desk.health().ready).toBe(true)
      instances.add(desk.instance)
      kept.add(await readFile(path(), 'utf8'))
      expect((await stat(path())).mode & 0o777).toBe(0o600)
      await mesh.close(desk)
      // Long after the token itself would have expired, and over a restart of the issuer.
      await mesh.clock.advance(3 * minute)
      await mesh.close(issuer)
      issuer = await mesh.openIssuer()
    }
    expect([instances.size, kept.size]).toEqual([4, 4])
    expect((await startNext(mesh)).health().ready).toBe(true)
  })

  it('sends no key that it keeps, and keeps none of an instance that was admitted', async () => {
    await using mesh = await openIssuedMesh(seldom)
    await mesh.openIssuer()
    const wire = tapWire(mesh.bus)
    const seen: string[] = []
    mesh.bus.tap(({ data }) => seen.push(Buffer.from(data).toString('latin1')))
    const desk = await open(mesh, await mesh.token('acme/desk'))
    const { attempt } = JSON.parse(await readFile(path(), 'utf8')) as { readonly attempt: Record<string, string> }
    await mesh.start(desk)
    const text = seen.join('') + JSON.stringify(wire.headers())
    expect(Object.keys(attempt)).toHaveLength(4)
    for (const seed of Object.values(attempt)) expect(text).not.toContain(seed)
    const after = await readFile(path(), 'utf8')
    expect(after).not.toContain(attempt['signing'])
    expect(JSON.parse(after)).not.toHaveProperty('attempt')
  })

  it('asks the same again after a crash before, and after, the issuer has answered', async () => {
    await using mesh = await openIssuedMesh(seldom)
    const issuer = await mesh.openIssuer()
    const token = await mesh.token('acme/desk')
    for (const direction of ['question', 'answer'] as const) {
      const lost = mesh.bus.inject({
        kind: 'drop',
        when: (unit) =>
          readHeaders(unit).some(({ type, from }) =>
            direction === 'question' ? type === 'hello' : type === 'reply' && from === issuer.instance,
          ),
      })
      await expect(startNext(mesh, token)).rejects.toMatchObject({ code: 'identity.issuer-unavailable' })
      lost()
      const before = JSON.parse(await readFile(path(), 'utf8')) as { readonly attempt?: object }
      expect(before.attempt).toBeDefined()
      const desk = await startNext(mesh, token)
      expect(desk.health().ready).toBe(true)
      await mesh.close(desk)
    }
  })

  it('is noticed when what was kept is used by a thief first, and then takes nobody', async () => {
    await using mesh = await openIssuedMesh(seldom)
    const issuer = await mesh.openIssuer()
    const desk = await startNext(mesh, await mesh.token('acme/desk'))
    const copy = await copyKept('copy')
    await mesh.close(desk)
    const thief = await startNext(mesh, undefined, copy)
    await expect(startNext(mesh)).rejects.toMatchObject({ code: 'identity.rejoin-reused' })
    await mesh.close(thief)
    await expect(startNext(mesh, undefined, copy)).rejects.toMatchObject({ code: 'identity.rejoin-reused' })
    await mesh.clock.settle()
    const told = mesh.records.get(issuer)?.filter((record) => JSON.stringify(record).includes('identity.rejoin-reused'))
    expect(told?.length).toBeGreaterThan(0)
    // A new token helps, and only a new one.
    const helped = await startNext(mesh, await mesh.token('acme/desk'))
    expect(helped.health().ready).toBe(true)
  })

  it('is noticed when a thief uses what was kept after its owner came back', async () => {
    await using mesh = await openIssuedMesh({ ...seldom, credentialMs: 2 * minute })
    await mesh.openIssuer()
    await mesh.close(await startNext(mesh, await mesh.token('acme/desk')))
    const copy = await copyKept('copy')
    const desk = await startNext(mesh)
    await expect(startNext(mesh, undefined, copy)).rejects.toMatchObject({ code: 'identity.rejoin-reused' })
    // Who was in goes on, renewals included; who comes next is refused.
    await mesh.clock.advance(3 * minute)
    expect(desk.health().ready).toBe(true)
    await mesh.close(desk)
    await expect(startNext(mesh)).rejects.toMatchObject({ code: 'identity.rejoin-reused' })
  })

  it('belongs to one process at a time', async () => {
    await using mesh = await openIssuedMesh(seldom)
    await mesh.openIssuer()
    const desk = await startNext(mesh, await mesh.token('acme/desk'))
    await expect(rejoinMesh({ dir, token: undefined })).rejects.toMatchObject({ code: 'store.locked' })
    await mesh.close(desk)
    expect((await startNext(mesh)).health().ready).toBe(true)
  })

  it('lets no more than one of three processes with a copy in that come at the same time', async () => {
    await using mesh = await openIssuedMesh(seldom)
    await mesh.openIssuer()
    await mesh.close(await startNext(mesh, await mesh.token('acme/desk')))
    const copies = [dir, await copyKept('one'), await copyKept('two')]
    const nodes = await Promise.all(copies.map((each) => open(mesh, undefined, each)))
    const ends = Promise.allSettled(nodes.map((node) => node.start()))
    for (let second = 0; second < 15; second++) await mesh.clock.advance(1_000)
    const codes = (await ends).map((end) =>
      end.status === 'rejected' ? (end.reason as { readonly code: string }).code : 'in',
    )
    const refused = codes.filter((code) => code === 'identity.rejoin-reused')
    expect(refused.length).toBeGreaterThanOrEqual(2)
    expect(codes.filter((code) => code !== 'in')).toEqual(refused)
  })

  it('ends with an order against the token that it began with', async () => {
    await using mesh = await openIssuedMesh(seldom)
    const issuer = await mesh.openIssuer()
    const { id, token } = await mesh.acme.joinToken({ name: 'acme/desk' })
    await mesh.close(await startNext(mesh, formatJoinToken(token)))
    await issuer.acceptOrder(await mesh.acme.order('revoke', id))
    await expect(startNext(mesh)).rejects.toMatchObject({ code: 'identity.revoked' })
  })

  it('ends with the time that the issuer gives', async () => {
    await using mesh = await openIssuedMesh(seldom)
    await mesh.openIssuer({ rejoinMs: 3 * minute })
    await mesh.close(await startNext(mesh, await mesh.token('acme/desk')))
    await mesh.clock.advance(5 * minute)
    await expect(startNext(mesh)).rejects.toMatchObject({ code: 'identity.jwt-expired' })
  })

  it('gives no more than the token did', async () => {
    await using mesh = await openIssuedMesh(seldom)
    await mesh.openIssuer()
    const token = await mesh.token('acme/desk', { calls: ['shop:look', 'shop:buy'], serves: [] })
    await mesh.close(await startNext(mesh, token))
    const issuer = await rejoinMesh({ dir, token: undefined, random: mesh.random })
    const wider = await mesh.node('acme/desk', { calls: [...calls, shop.wipe], issuer, token })
    await expect(mesh.start(wider)).rejects.toMatchObject({ code: 'identity.issuer-refused' })
    await mesh.close(wider)
    const other = await rejoinMesh({ dir, token: undefined, random: mesh.random })
    const boss = await mesh.node('acme/boss', { calls, issuer: other, token })
    await expect(mesh.start(boss)).rejects.toMatchObject({ code: 'identity.join-token-invalid' })
  })

  it('refuses a file that others can read, or that is damaged, and repeats none of it', async () => {
    await using mesh = await openIssuedMesh(seldom)
    await mesh.openIssuer()
    await expect(rejoinMesh({ dir, token: undefined })).rejects.toMatchObject({ code: 'identity.join-token-invalid' })
    await mesh.close(await startNext(mesh, await mesh.token('acme/desk')))
    const text = await readFile(path(), 'utf8')
    for (const damaged of ['', '{}', text.slice(0, 200), text.replace('parley-join-1.', 'parley-join-2.')]) {
      await writeFile(path(), damaged)
      const error: unknown = await rejoinMesh({ dir, token: undefined }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'identity.key-file-invalid' })
      const { token } = JSON.parse(text) as { readonly token: string }
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(token.slice(14, 40))
    }
    await rm(path())
    await writeFile(path(), text, { mode: 0o644 })
    await expect(rejoinMesh({ dir, token: undefined })).rejects.toMatchObject({ code: 'identity.key-file-permissions' })
  })

  it('keeps nothing for who joins without a folder', async () => {
    await using mesh = await openIssuedMesh(seldom)
    const issuer = await mesh.openIssuer()
    const desk = await mesh.node('acme/desk', { calls, issuer: joinMesh(await mesh.token('acme/desk')) })
    await mesh.start(desk)
    await mesh.clock.settle()
    const hops = mesh.records.get(issuer)?.filter(({ kind }) => kind === 'hop')
    expect(hops).toMatchObject([{ capability: 'issuer:issue', outcome: 'ok' }])
  })
})

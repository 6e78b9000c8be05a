import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalIssuer, parseAnchor } from '@parley/identity'
import type { MeshNode } from '@parley/mesh'
import { compilePolicy, type PolicySource } from '@parley/policy'
import { openSqliteStore } from '@parley/store-sqlite'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured } from './captured-cli.ts'
import { shop, soundServes } from './shop.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-release-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const closed = ['look', 'buy', 'burn'].map((word): PolicySource => ({
  file: 'house.yaml',
  text: `apiVersion: parley/v1\nname: house\ndefault: allow\nrules:\n  - { name: closed, when: action == 'shop:${word}', effect: deny }\n`,
}))
const [first, second, third] = closed as [PolicySource, PolicySource, PolicySource]
const hashOf = (part: PolicySource): string => compilePolicy([part]).policyHash

/** A shop whose policies its owner has to release, over one store. */
async function openReleased(mesh: TestMesh) {
  const store = await openSqliteStore({ path: ':memory:', clock: mesh.clock })
  const kept = { ...store, close: () => Promise.resolve() }
  const start = (part: PolicySource, policyRelease?: string, name = 'acme/shop'): Promise<MeshNode> =>
    mesh.node(name, {
      policy: [part],
      policySignedBy: 'acme',
      ...(policyRelease === undefined ? {} : { policyRelease }),
      store: kept,
      serves: [shop],
      serve: (node) => {
        node.serve(shop, soundServes)
      },
    })
  const release = (part: PolicySource, number: number, agents?: readonly string[]): Promise<string> =>
    mesh.issuer.release({ policy: hashOf(part), number, ...(agents ? { agents } : {}) })
  return { start, release, kept }
}

const notSigned = { code: 'policy.not-signed' }
const outdated = { code: 'policy.outdated' }

describe('policySignedBy', () => {
  it('lets a node start with nothing but what its owner released for it', async () => {
    await using mesh = createTestMesh({ seed: 81 })
    const { start, release } = await openReleased(mesh)
    await expect(start(first)).rejects.toMatchObject(notSigned)
    await expect(start(first, await release(second, 1))).rejects.toMatchObject(notSigned)
    await expect(start(first, await release(first, 1, ['acme/till']))).rejects.toMatchObject(notSigned)
    const rival = createLocalIssuer({ alias: 'rival', clock: mesh.clock, random: mesh.random })
    const foreign = await rival.release({ policy: hashOf(first), number: 1, agents: ['acme/*'] })
    await expect(start(first, foreign)).rejects.toMatchObject({ code: expect.stringContaining('identity.') as string })

    const counter = await start(first, await release(first, 1))
    expect(mesh.recordsOf(counter).find(({ event }) => event === 'policy-loaded')).toMatchObject({
      policy: hashOf(first),
      releasedBy: mesh.issuer.owner,
      release: 1,
    })
    const desk = await mesh.node('acme/desk', { calls: [shop.look] })
    const asking = desk.card('acme/shop')
    await mesh.clock.settle()
    expect(await asking).toMatchObject({
      policy: { hash: hashOf(first), releasedBy: mesh.issuer.owner, release: 1 },
    })
  })

  it('keeps what is in force when another set is not released, or was before', async () => {
    await using mesh = createTestMesh({ seed: 82 })
    const { start, release } = await openReleased(mesh)
    const counter = await start(first, await release(first, 5))
    const desk = await mesh.node('acme/desk', { calls: [shop.look, shop.buy] })
    const look = async (): Promise<string> =>
      (await desk.tryCall(shop.look, { item: 'lamp' }, { to: 'acme/shop' })).kind
    expect(await look()).toBe('refused')

    await expect(counter.reloadPolicy([second])).rejects.toMatchObject(notSigned)
    await expect(counter.reloadPolicy([second], await release(second, 4))).rejects.toMatchObject(outdated)
    await expect(counter.reloadPolicy([second], await release(second, 5))).rejects.toMatchObject(outdated)
    await expect(counter.reloadPolicy([third], await release(second, 6))).rejects.toMatchObject(notSigned)
    expect(await look()).toBe('refused')

    await counter.reloadPolicy([second], await release(second, 6))
    expect(await look()).toBe('ok')
    await expect(counter.reloadPolicy([first], await release(first, 5))).rejects.toMatchObject(outdated)
    expect(await look()).toBe('ok')
    const events = mesh.recordsOf(counter).filter(({ event }) => String(event).startsWith('policy-'))
    expect(events.map(({ event, release: number }) => [event, number])).toEqual([
      ['policy-loaded', 5],
      ...Array.from({ length: 4 }, () => ['policy-kept', undefined]),
      ['policy-reloaded', 6],
      ['policy-kept', undefined],
    ])
  })

  it('remembers the number over a restart, and between processes that share a store', async () => {
    await using mesh = createTestMesh({ seed: 83 })
    const { start, release, kept } = await openReleased(mesh)
    const counter = await start(first, await release(first, 1))
    await counter.reloadPolicy([second], await release(second, 2))
    await counter.close()
    await expect(start(first, await release(first, 1))).rejects.toMatchObject(outdated)
    const again = await start(second, await release(second, 2))
    // Another process moved on meanwhile, between reading and writing.
    const { keyValue } = kept
    const get = keyValue.get.bind(keyValue)
    keyValue.get = async (key) => {
      const entry = await get(key)
      if (entry && key.startsWith('policy-release/')) await keyValue.put(key, entry.value)
      return entry
    }
    await expect(again.reloadPolicy([third], await release(third, 3))).rejects.toMatchObject(outdated)
    keyValue.get = get
    await again.reloadPolicy([third], await release(third, 3))
  })

  it('takes one reload after the other, so that the last word is the highest number', async () => {
    await using mesh = createTestMesh({ seed: 84 })
    const { start, release } = await openReleased(mesh)
    const counter = await start(first, await release(first, 1))
    const ended = await Promise.allSettled([
      counter.reloadPolicy([third], await release(third, 3)),
      counter.reloadPolicy([second], await release(second, 2)),
    ])
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    const desk = await mesh.node('acme/desk', { calls: [shop.look] })
    const asking = desk.card('acme/shop')
    await mesh.clock.settle()
    expect(await asking).toMatchObject({ policy: { hash: hashOf(third), release: 3 } })
  })

  it('names an owner that no anchor has as a mistake, and a release without it too', async () => {
    await using mesh = createTestMesh({ seed: 85 })
    await expect(mesh.node('acme/a', { policySignedBy: 'rival' })).rejects.toThrow('policySignedBy: no anchor')
    const node = await mesh.node('acme/b')
    const unasked = await mesh.issuer.release({ policy: hashOf(first), number: 1 })
    await expect(node.reloadPolicy([first], unasked)).rejects.toMatchObject({ code: 'mesh.config-invalid' })
  })
})

describe('parley policy sign', () => {
  it("signs the set as a node compiles it, with the owner's key", async () => {
    const keys = join(folder, 'keys')
    const made = await runCaptured(['issuer', 'init', keys, '--alias', 'acme', '--json'])
    const { anchor } = JSON.parse(made.out) as { readonly anchor: unknown }
    const file = join(folder, 'house.yaml')
    await writeFile(file, first.text)
    const run = await runCaptured(['policy', 'sign', file, '--issuer', keys, '--number', '7', '--json'])
    expect(run).toMatchObject({ code: 0, err: '' })
    const signed = JSON.parse(run.out) as { readonly release: string; readonly policyHash: string }
    expect(signed).toMatchObject({ number: 7, agents: ['acme/*'], policyHash: hashOf(first) })
    const plain = await runCaptured(['policy', 'sign', file, '--issuer', keys, '--number', '8', '--to', 'acme/shop'])
    expect(plain.err).toContain('release 8 of the policy')
    expect(plain.out).toMatch(/^eyJ[\w.-]+\n$/)
    await using mesh = createTestMesh({ seed: 86 })
    await mesh.clock.advance(Math.max(0, Date.now() - mesh.clock.now()))
    const owner = { ...parseAnchor(anchor), alias: 'staff', issues: ['staff/*'] }
    const node = await mesh.node('acme/shop', {
      anchors: [mesh.issuer.anchor, owner],
      policySignedBy: owner.owner,
      policy: [first],
      policyRelease: signed.release,
    })
    expect(mesh.recordsOf(node).find(({ event }) => event === 'policy-loaded')).toMatchObject({ release: 7 })
  })

  it('refuses documents with mistakes, and a number that is none', async () => {
    const file = join(folder, 'wrong.yaml')
    await writeFile(file, 'apiVersion: parley/v1\nname: wrong\ndefault: maybe\n')
    const keys = join(folder, 'absent')
    const wrong = await runCaptured(['policy', 'sign', file, '--issuer', keys, '--number', '1'])
    expect(wrong.code).not.toBe(0)
    expect(wrong.err).toContain('policy.invalid')
    expect((await runCaptured(['policy', 'sign', file, '--issuer', keys, '--number', 'x'])).code).toBe(2)
  })
})

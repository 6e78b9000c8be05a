import { defineContract, type MeshNode } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createTestMesh } from './create-test-mesh.ts'
import type { TestMesh } from './test-mesh.ts'

const flights = defineContract('flights', {
  reserve: { input: z.object({ to: z.string() }), output: z.object({ seat: z.string() }), risk: 'reversible' },
})

async function openPair(mesh: TestMesh): Promise<{ readonly planes: MeshNode; readonly desk: MeshNode }> {
  const planes = await mesh.node('acme/planes', {
    serves: [flights],
    serve: (node) => {
      node.serve(flights, { reserve: ({ to }) => ({ seat: `12A to ${to}` }) })
    },
  })
  return { planes, desk: await mesh.node('acme/desk', { calls: [flights.reserve] }) }
}

async function listWire(seed: number): Promise<readonly string[]> {
  await using mesh = createTestMesh({ seed })
  const wire: string[] = []
  mesh.bus.tap(({ subject, data }) => wire.push(`${subject} ${Buffer.from(data).toString('base64')}`))
  const { desk } = await openPair(mesh)
  await desk.call(flights.reserve, { to: 'SFO' })
  return wire
}

describe('createTestMesh', () => {
  it('carries a call between two real nodes, recorded on both sides', async () => {
    await using mesh = createTestMesh()
    const { planes, desk } = await openPair(mesh)
    const outcome = await desk.tryCall(flights.reserve, { to: 'SFO' })
    await mesh.clock.settle()
    expect(outcome).toMatchObject({ kind: 'ok', output: { seat: '12A to SFO' } })
    const hops = [desk, planes].map((node) => mesh.recordsOf(node).filter(({ kind }) => kind === 'hop'))
    expect(hops.map((records) => records.map(({ side }) => side))).toEqual([['caller'], ['callee']])
  })

  it('puts the same bytes on the wire for the same seed, and others for another', async () => {
    const [first, again, other] = [await listWire(7), await listWire(7), await listWire(8)]
    expect(first.length).toBeGreaterThan(6)
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
  })

  it('cuts a node off and brings it back', async () => {
    await using mesh = createTestMesh()
    const { desk } = await openPair(mesh)
    mesh.disconnect(desk)
    const cutOff = await desk.tryCall(flights.reserve, { to: 'SFO' })
    expect(cutOff).toMatchObject({ kind: 'refused', code: 'transport.disconnected', hop: { sent: false } })
    await mesh.reconnect(desk)
    expect((await desk.tryCall(flights.reserve, { to: 'SFO' })).kind).toBe('ok')
  })

  it('refuses a node of another mesh by name', async () => {
    await using mesh = createTestMesh()
    await using other = createTestMesh({ seed: 2 })
    const { desk } = await openPair(other)
    expect(() => mesh.recordsOf(desk)).toThrow('acme/desk is not a node of this test mesh')
  })

  it('closes while a call hangs', async () => {
    const mesh = createTestMesh()
    const sleepy = await mesh.node('acme/sleepy', {
      serves: [flights],
      serve: (node) => {
        node.serve(flights, { reserve: () => new Promise<never>(() => undefined) })
      },
    })
    const desk = await mesh.node('acme/desk', { calls: [flights.reserve] })
    const call = desk.tryCall(flights.reserve, { to: 'SFO' }, { to: sleepy.name })
    await mesh.clock.settle()
    await mesh.close()
    expect((await call).kind).toBe('unknown')
  })
})

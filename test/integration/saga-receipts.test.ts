import { createAnchors } from '@parley/identity'
import { defineContract, type MeshNode } from '@parley/mesh'
import { createSagas, defineSaga, exportSaga, parallel, step, verifySagaExport, type Sagas } from '@parley/saga'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const seat = z.object({ row: z.number() })
const flights = defineContract('flights', {
  reserve: {
    input: z.object({ to: z.string() }),
    output: seat,
    errors: { full: z.object({ rows: z.number() }) },
    risk: 'reversible',
    undo: true,
  },
})
const names = Array.from({ length: 16 }, (_, at) => `leg-${at + 1}`)
const tourTo = (end: string) =>
  defineSaga(
    'tour',
    { version: 1, input: z.object({}) },
    parallel(
      'legs',
      names.map((name, at) =>
        step(name, { do: flights.reserve, to: ['acme/planes'], input: () => ({ to: at === 0 ? end : 'SFO' }) }),
      ),
    ),
    step('last', { do: flights.reserve, to: ['acme/planes'], input: () => ({ to: 'home' }) }),
  )
const [home, nowhere] = [tourTo('home'), tourTo('nowhere')]

async function openTour(
  mesh: TestMesh,
  tour: typeof home,
): Promise<{ readonly desk: MeshNode; readonly sagas: Sagas }> {
  await mesh.node('acme/planes', {
    serves: [flights],
    serve: (node) => {
      node.serve(flights, {
        reserve: {
          do: ({ to }, hop) => (to === 'nowhere' ? hop.decline('full', { rows: 30 }) : { row: 12 }),
          undo: () => undefined,
          lookup: () => ({ found: 'absent' }),
        },
      })
    },
  })
  let sagas: Sagas | undefined
  const desk = await mesh.node('acme/desk', {
    calls: flights.capabilities,
    serve: (node) => {
      sagas = createSagas(node, { definitions: [tour] })
    },
  })
  if (!sagas) throw new TypeError('the node did not ask for what it serves')
  return { desk, sagas }
}

describe('the receipts of a saga', () => {
  it('are made of what both nodes really signed, in less than 3 KB a step, and prove who did it under which chain', async () => {
    await using mesh = createTestMesh()
    const { desk, sagas } = await openTour(mesh, home)
    await using _closed = sagas
    const delegation = await mesh.issuer.delegate({
      to: 'acme/desk',
      capabilities: ['flights:reserve'],
      constraints: { to: { in: ['SFO', 'home'] } },
      forMs: 3_600_000,
    })
    const run = await sagas.start(home, {}, { id: 't', delegation })
    await mesh.clock.advance(5_000)
    expect(run.state().status).toBe('completed')
    const anchors = createAnchors([mesh.issuer.anchor])
    const whole = verifySagaExport(await exportSaga(desk.store, desk.name, 't'), { anchors })
    expect(whole).toMatchObject({ kind: 'proved', account: { status: 'completed', claimed: [] } })
    const facts = whole.kind === 'proved' ? whole.account.facts : []
    expect(facts).toHaveLength(17)
    for (const fact of facts)
      expect(fact).toMatchObject({
        proof: 'signed',
        by: { name: 'acme/planes' },
        input: 'signed',
        output: 'signed',
        commanded: { name: 'acme/desk', authority: { kind: 'delegated', root: mesh.issuer.owner } },
      })
    const entries = await desk.store.journal.read('saga/acme/desk/t')
    const ofSteps = entries
      .map(({ data }) => new TextDecoder().decode(data).split('\n')[0] ?? '')
      .filter((line) => line.includes('"step":'))
    // Sixteen commands left under one signature: their paths are four hashes long.
    expect(ofSteps.join('').length / 17).toBeLessThan(3_000)
    const bare = await exportSaga(desk.store, desk.name, 't', { withBodies: false })
    expect(bare).not.toContain('SFO"}')
    expect(verifySagaExport(bare, { anchors })).toMatchObject({ kind: 'proved', account: { facts: { length: 17 } } })
  })

  it('prove that what was done was undone', async () => {
    await using mesh = createTestMesh()
    const { desk, sagas } = await openTour(mesh, nowhere)
    await using _closed = sagas
    const run = await sagas.start(nowhere, {}, { id: 't' })
    await mesh.clock.advance(5_000)
    expect(run.state().status).toBe('compensated')
    const anchors = createAnchors([mesh.issuer.anchor])
    const verdict = verifySagaExport(await exportSaga(desk.store, desk.name, 't'), { anchors })
    expect(verdict).toMatchObject({ kind: 'proved', account: { status: 'compensated' } })
    const facts = verdict.kind === 'proved' ? verdict.account.facts : []
    const count = (what: string): number => facts.filter(({ fact }) => fact === what).length
    expect([count('declined'), count('committed'), count('undone')]).toEqual([1, 15, 15])
  })
})

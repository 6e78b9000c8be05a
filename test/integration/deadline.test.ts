import { defineContract } from '@parley/mesh'
import { createTestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { films } from './studio.ts'

describe('a deadline', () => {
  it('travels as what is left, over three hops', async () => {
    const mesh = createTestMesh()
    const seen: number[] = []
    const wait = (ms: number): Promise<void> => new Promise((resolve) => mesh.clock.setTimer(resolve, ms))
    await using _ = mesh
    await mesh.node('acme/third', {
      serves: [films],
      serve: (node) => {
        node.serve(films, {
          render: async ({ frames }) => ({ frames }),
          look: (_input, hop) => {
            seen.push(hop.remainingMs())
            return { leftMs: hop.remainingMs() }
          },
        })
      },
    })
    const middle = defineContract('middle', {
      look: { input: z.object({}), output: z.object({ leftMs: z.number() }), risk: 'read' },
    })
    await mesh.node('acme/second', {
      serves: [middle],
      calls: [films.look],
      serve: (node) => {
        node.serve(middle, {
          look: async (input, hop) => {
            seen.push(hop.remainingMs())
            await wait(300)
            return hop.call(films.look, input, { deadlineMs: 60_000, authority: 'own' })
          },
        })
      },
    })
    const first = await mesh.node('acme/first', { calls: [middle.look] })
    // A clock that is set says nothing of what is left.
    mesh.clock.jump(20_000)
    const outcome = first.tryCall(middle.look, {}, { deadlineMs: 1_000 })
    await mesh.clock.advance(300)
    expect(await outcome).toMatchObject({ kind: 'ok', output: { leftMs: 700 } })
    expect(seen).toEqual([1_000, 700])
    const late = first.tryCall(middle.look, {}, { deadlineMs: 250 })
    await mesh.clock.advance(400)
    expect(await late).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded' })
    expect(seen).toEqual([1_000, 700, 250])
  })
})

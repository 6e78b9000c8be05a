import {
  defineContract,
  type AppendedRecord,
  type CallOptions,
  type Hop,
  type MeshNode,
  type Outcome,
} from '@parley/mesh'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { z } from 'zod'

/** A contract with long work, and a look at what time is left. */
export const films = defineContract('films', {
  render: {
    input: z.object({ frames: z.number() }),
    progress: z.object({ frame: z.number() }),
    output: z.object({ frames: z.number() }),
    risk: 'reversible',
  },
  look: { input: z.object({}), output: z.object({ leftMs: z.number() }), risk: 'read' },
})
interface Progress {
  readonly frame: number
}
/** Renders: what a test wants of it. */
export type Render = (
  input: { frames: number },
  hop: Hop<Record<never, never>, Progress>,
  wait: (ms: number) => Promise<void>,
) => Promise<{ frames: number } | ReturnType<typeof hop.fail>>

/** A mesh with `acme/studio`, which renders, and `acme/desk`, which asks for it. */
export interface Studio extends AsyncDisposable {
  readonly mesh: TestMesh
  readonly studio: MeshNode
  readonly desk: MeshNode
  readonly told: number[]
  readonly signals: AbortSignal[]
  render(options?: CallOptions): Promise<Outcome>
}

/** Opens the studio. */
export async function openStudio(serve: Render): Promise<Studio> {
  const mesh = createTestMesh()
  const told: number[] = []
  const signals: AbortSignal[] = []
  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      mesh.clock.setTimer(resolve, ms)
    })
  const studio = await mesh.node('acme/studio', {
    serves: [films],
    serve: (node) => {
      node.serve(films, {
        look: (_, hop) => ({ leftMs: hop.remainingMs() }),
        render: (input, hop) => {
          signals.push(hop.signal)
          return serve(input, hop, wait)
        },
      })
    },
  })
  const desk = await mesh.node('acme/desk', { calls: [films.render, films.look] })
  return {
    mesh,
    studio,
    desk,
    told,
    signals,
    render: (options = {}) =>
      desk.tryCall(
        films.render,
        { frames: 3 },
        { deadlineMs: 1_000, onProgress: ({ frame }) => told.push(frame), ...options },
      ),
    [Symbol.asyncDispose]: () => mesh.close(),
  }
}

/** The hop records of a node. */
export function hopsOf(mesh: TestMesh, node: MeshNode): readonly AppendedRecord[] {
  return mesh.recordsOf(node).filter(({ kind }) => kind === 'hop')
}

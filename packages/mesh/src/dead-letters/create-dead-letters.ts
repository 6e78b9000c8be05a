import { MeshError } from '@parley/protocol'
import type { NodeParts } from '../node/node-parts.ts'
import type { InboundHop } from '../pipeline/inbound-hop.ts'
import type { Stage } from '../pipeline/stage.ts'
import { describeDeadLetter } from './dead-letter.ts'
import type { DeadLetters } from './dead-letters.ts'
import { openLetter } from './open-letter.ts'
import { listReplayStages, replayDeadLetter } from './replay-dead-letter.ts'

/** What dead letters are replayed with, once the node runs. */
export interface ReplayMeans {
  readonly parts: NodeParts
  readonly request: readonly Stage<InboundHop>[]
}

/** Creates what a node offers of its dead letters. */
export function createDeadLetters(means: () => ReplayMeans | undefined): DeadLetters {
  /** Replays under way, so that one letter is not run twice at a time. */
  const underWay = new Map<string, Promise<unknown>>()
  const started = (): ReplayMeans => {
    const now = means()
    if (!now) throw new MeshError('mesh.not-started', 'the node is not started: its store is not read yet')
    return now
  }
  return {
    list: async () => started().parts.deadLetters.list().map(describeDeadLetter),
    async show(id) {
      const { parts } = started()
      const letter = parts.deadLetters.find(id)
      return letter && openLetter(parts.hash, letter)
    },
    async replay(id) {
      const running = (underWay.get(id) ?? Promise.resolve()).then(async () => {
        const { parts, request } = started()
        const letter = parts.deadLetters.find(id)
        if (!letter) return undefined
        const outcome = await replayDeadLetter(parts, listReplayStages(request), letter)
        await parts.deadLetters.replayed(id, outcome)
        return outcome
      })
      const settled = running.then(
        () => undefined,
        () => undefined,
      )
      underWay.set(id, settled)
      try {
        return await running
      } finally {
        if (underWay.get(id) === settled) underWay.delete(id)
      }
    },
    drop: async (id) => started().parts.deadLetters.drop(id),
  }
}

import { codeOf } from '../contract/outcome.ts'
import type { MeshNode } from '../node/node.ts'
import type { Serves } from '../serving/serve.ts'
import type { DeadLetterContract } from './dead-letter-contract.ts'

/** Letters of one page: an answer has to fit into one envelope, and a view has at most some 2 KB. */
const maxPage = 100

/**
 * Makes what serves `deadLetterContract` for a node: `node.serve(deadLetterContract, serveDeadLetters(node))`, before the node
 * starts. Who may look, replay and drop is for the node's policy to say.
 */
export function serveDeadLetters({ deadLetters }: Pick<MeshNode, 'deadLetters'>): Serves<DeadLetterContract> {
  return {
    async list({ after }) {
      const all = await deadLetters.list()
      const from =
        after === undefined
          ? 0
          : Math.max(
              0,
              all.findIndex(({ id }) => id === after),
            )
      const next = all[from + maxPage]?.id
      return { letters: all.slice(from, from + maxPage), ...(next === undefined ? {} : { next }) }
    },
    async show({ id }, hop) {
      const letter = await deadLetters.show(id)
      return letter ? { letter } : hop.decline('unknown', { id })
    },
    async replay({ id }, hop) {
      const outcome = await deadLetters.replay(id)
      if (!outcome) return hop.decline('unknown', { id })
      const code = codeOf(outcome)
      return { outcome: outcome.kind, ...(code === undefined ? {} : { code }) }
    },
    async drop({ id }, hop) {
      return (await deadLetters.drop(id)) ? {} : hop.decline('unknown', { id })
    },
  }
}

import { deadLetterContract, openDeadLetters, type DeadLetterView, type OpenedDeadLetter } from '@parley/mesh'
import { createSystemClock } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { askAgent, type Asked, type Undone } from './ask-agent.ts'
import type { CliContext } from './cli-context.ts'
import { findPlace, notOnePlace } from './find-place.ts'
import type { PersonFlags } from './person-options.ts'
import { withStore } from './with-store.ts'

/** Where dead letters are: at a running agent, or in the store of a stopped node. */
export interface DeadLetterFlags extends PersonFlags {
  readonly data?: string
  readonly json?: boolean
}

/** What is done with one dead letter. */
export type LetterAct = 'show' | 'replay' | 'drop'

/** A page is enough to read; a node keeps ten at most. */
const maxPages = 16

/** Lists dead letters, the oldest first. Resolves with what the agent answered where it gave none. */
export async function listDeadLetters(
  context: CliContext,
  flags: DeadLetterFlags,
): Promise<readonly DeadLetterView[] | Undone> {
  const place = findPlace(flags)
  if (place === undefined) throw notOnePlace()
  if ('data' in place) return inStore(place.data, (letters) => letters.list())
  const found: DeadLetterView[] = []
  let after: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const input = after === undefined ? {} : { after }
    const asked = await askAgent(context, deadLetterContract.list, input, { ...flags, ...place })
    if (asked.kind !== 'ok') return asked
    const { letters, next } = asked.output as { readonly letters: readonly DeadLetterView[]; readonly next?: string }
    found.push(...letters)
    if (next === undefined) break
    after = next
  }
  return found
}

/** Does something with one letter. In a store it cannot be replayed: that its node alone can, which is told as `cli.usage`. */
export async function reachDeadLetter(
  context: CliContext,
  flags: DeadLetterFlags,
  act: LetterAct,
  id: string,
): Promise<Asked> {
  const place = findPlace(flags)
  if (place === undefined) throw notOnePlace()
  if ('agent' in place) return askAgent(context, deadLetterContract[act], { id }, { ...flags, ...place })
  if (act === 'replay')
    throw new MeshError('cli.usage', 'a letter is replayed by its node alone: start it, and give --agent')
  return inStore(place.data, async (letters): Promise<Asked> => {
    const letter: OpenedDeadLetter | undefined = await letters.show(id)
    if (!letter) return { kind: 'declined', code: 'unknown', reason: 'the store keeps nothing by that id' }
    if (act === 'drop') await letters.drop(id)
    return { kind: 'ok', output: { letter } }
  })
}

async function inStore<Result>(
  data: string,
  use: (letters: Awaited<ReturnType<typeof openDeadLetters>>) => Promise<Result>,
): Promise<Result> {
  return withStore(data, async (store) => use(await openDeadLetters({ store, clock: createSystemClock() })))
}

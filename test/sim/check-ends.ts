import { foldSaga, type SagaEvent } from '@parley/saga'
import type { JournalWatch } from './journal-watch.ts'
import type { KnownJournal, Wish } from './sim-facts.ts'
import type { Effect, Witness } from './witness.ts'

/** Holds how everything ended against the effects that stand. Returns each saga's end. */
export function checkEnds(world: {
  readonly wishes: ReadonlyMap<string, Wish>
  /** Sagas whose start was acknowledged. */
  readonly acknowledged: ReadonlySet<string>
  readonly journals: JournalWatch
  readonly witness: Witness
}): Readonly<Record<string, string>> {
  const { witness, journals } = world
  const ends: Record<string, string> = {}
  for (const id of world.wishes.keys()) {
    const journal = journals.journal(id)
    if (!journal) {
      ends[id] = 'never started'
      witness.breach(1, `${id} was ${world.acknowledged.has(id) ? 'acknowledged, and is lost' : 'never taken'}`)
      continue
    }
    checkWriters(id, journal, witness)
    const effects = [...witness.effects.values()].filter((effect) => effect.saga === id)
    ends[id] = checkEnd(id, journal.events, effects, witness)
  }
  return ends
}

function checkEnd(id: string, events: readonly SagaEvent[], effects: readonly Effect[], witness: Witness): string {
  const state = foldSaga(events)
  const { value } = state.life
  const standing = effects.filter((effect) => effect.standing).map((effect) => effect.step)
  const steps = Object.values(state.steps)
  for (const event of events)
    if (event.type === 'committed') {
      const { what } = (event.output ?? {}) as { readonly what?: string }
      if (what !== `${id} ${event.step}`)
        witness.breach(2, `${event.step} of ${id} committed with an answer to "${what}"`)
    }
  if (value === 'completed')
    for (const step of steps)
      if (step.plan.risk !== 'read' && !standing.includes(step.plan.name))
        witness.breach(2, `${id} is completed, and the effect of ${step.plan.name} does not stand`)
  if (value === 'compensated' && standing.length > 0)
    witness.breach(2, `${id} is compensated, and ${standing.join(', ')} stands`)
  if (value === 'stuck' && !steps.some((step) => step.snapshot.value === 'stuck' && step.code !== undefined))
    witness.breach(1, `${id} is stuck and does not say at what`)
  if (value === 'waiting' && !state.waiting) witness.breach(1, `${id} waits and does not say for what`)
  if (value === 'running' || value === 'undoing') witness.breach(1, `${id} is ${value}, and nobody goes on with it`)
  return value
}

/** Anybody of the name may ask for the way back: that is a request, written where its owner reads it. */
function isRequest(event: SagaEvent): boolean {
  return event.type === 'turned' && event.step === undefined
}

/** Whoever did not own a saga at that position wrote nothing into it. */
function checkWriters(id: string, { events, writers }: KnownJournal, witness: Witness): void {
  let owner = writers[0]
  let epoch = 0
  events.forEach((event, at) => {
    if (event.type === 'owned') {
      if (event.epoch <= epoch) witness.breach(6, `${id} was taken at epoch ${event.epoch} after ${epoch}`)
      epoch = event.epoch
      owner = writers[at]
    } else if (writers[at] !== owner && !isRequest(event))
      witness.breach(6, `${writers[at]} wrote "${event.type}" into ${id} of ${owner}`)
    if ('epoch' in event && event.epoch !== epoch)
      witness.breach(6, `${id} has a "${event.type}" of epoch ${event.epoch} at ${epoch}`)
  })
}

import { describeSaga, foldSaga, type SagaEvent, type SagaState } from '@parley/saga'
import type { EffectRow, RunFacts, SagaFacts } from './run-facts.ts'
import { deskName } from './setup.ts'

/** What a run came to. */
export interface RunVerdict {
  /** Every saga's end, by id. */
  readonly ends: ReadonlyMap<string, string>
  readonly violations: readonly string[]
}

/** Holds what journals say against what participants' databases say. It asks nobody. */
export function checkRun({ sagas, effects }: RunFacts): RunVerdict {
  const violations: string[] = []
  const ends = new Map<string, string>()
  const known = new Set(sagas.map(({ id }) => id))
  for (const row of effects) if (!known.has(row.saga)) violations.push(`${name(row)} is of no saga of this run`)
  violations.push(...checkOrder(effects))
  for (const saga of sagas) {
    const own = effects.filter((row) => row.saga === saga.id)
    const { end, problems } = checkSaga(saga, own)
    ends.set(saga.id, end)
    violations.push(...problems)
  }
  return { ends, violations }
}

/** In the order of the commits: nothing twice, nothing taken back that does not stand, no epoch below one before. */
function checkOrder(effects: readonly EffectRow[]): readonly string[] {
  const violations: string[] = []
  const done = new Map<string, EffectRow>()
  const undone = new Set<string>()
  const highest = new Map<string, number>()
  for (const row of effects) {
    const { agent, kind, key, saga, epoch, caller } = row
    const place = `${agent} ${saga}`
    const before = highest.get(place) ?? 0
    if (epoch < before)
      violations.push(`${name(row)} under epoch ${epoch}, after epoch ${before}: a zombie got through`)
    highest.set(place, Math.max(before, epoch))
    if (caller !== deskName) violations.push(`${name(row)} for ${caller}, whose saga it is not`)
    const first = done.get(key)
    if (kind === 'do') {
      if (first) violations.push(`${name(row)} twice, first at ${first.agent}`)
      done.set(key, row)
    } else if (!first || first.agent !== agent || undone.has(key))
      violations.push(`${name(row)}, where it did not stand`)
    else undone.add(key)
  }
  return violations
}

function checkSaga(
  saga: SagaFacts,
  effects: readonly EffectRow[],
): { readonly end: string; readonly problems: readonly string[] } {
  const { id, events, acknowledged, problem } = saga
  if (problem !== undefined) return { end: 'unreadable', problems: [`the journal of ${id} cannot be read: ${problem}`] }
  if (events.length === 0) {
    const problems = acknowledged ? [`${id} was acknowledged, and is lost`] : []
    if (effects.length > 0) problems.push(`${id} has effects and no journal`)
    return { end: 'never started', problems }
  }
  const problems = [...checkEpochs(id, events), ...checkIntents(id, events, effects)]
  const state = foldSaga(events)
  const { status, waiting, steps } = describeSaga(state)
  const standing = new Map<string, EffectRow>()
  for (const row of effects) {
    if (row.kind === 'do') standing.set(row.key, row)
    else standing.delete(row.key)
  }
  const stands = (step: string): number => [...standing.values()].filter((row) => row.step === step).length
  switch (status) {
    case 'completed':
      for (const { plan } of Object.values(state.steps)) {
        const count = stands(plan.name)
        if (plan.risk !== 'read' && count !== 1)
          problems.push(`${id} is completed, and ${count} effects of ${plan.name} stand`)
      }
      break
    case 'compensated':
      for (const row of standing.values()) problems.push(`${id} is compensated, and ${name(row)} stands`)
      for (const row of effects)
        if (row.kind === 'undo' && steps[row.step]?.status !== 'undone')
          problems.push(`${name(row)}, and the journal says that it is ${steps[row.step]?.status}`)
      break
    case 'stuck':
      if (listStuck(state).length === 0) problems.push(`${id} is stuck and does not say why`)
      break
    case 'waiting':
      if (!waiting) problems.push(`${id} waits and does not say for what`)
      break
    default:
      problems.push(`${id} is ${status}, and nobody goes on with it`)
  }
  return { end: formatEnd(status, waiting?.code ?? listStuck(state).at(0)), problems }
}

function listStuck(state: SagaState): readonly string[] {
  return Object.values(state.steps).flatMap(({ snapshot, code }) => (snapshot.value === 'stuck' && code ? [code] : []))
}

/** What did not come to its own end is told with its reason. */
function formatEnd(status: string, reason: string | undefined): string {
  return reason === undefined ? status : `${status} (${reason})`
}

/** Whoever owned a saga before wrote nothing into it after it was taken. */
function checkEpochs(id: string, events: readonly SagaEvent[]): readonly string[] {
  const problems: string[] = []
  let epoch = 0
  for (const event of events) {
    if (event.type === 'owned') {
      if (event.epoch !== epoch + 1) problems.push(`${id} was taken at epoch ${event.epoch} after ${epoch}`)
      epoch = event.epoch
    } else if ('epoch' in event && event.epoch !== epoch)
      problems.push(`${id} has a "${event.type}" of epoch ${event.epoch} at ${epoch}`)
  }
  return problems
}

/** Nothing was sent before the journal said so. */
function checkIntents(id: string, events: readonly SagaEvent[], effects: readonly EffectRow[]): readonly string[] {
  const intents = new Set<string>()
  for (const event of events) {
    if (event.type === 'intended') intents.add(`do ${event.key} ${event.attempt}`)
    if (event.type === 'undo-intended') intents.add(`undo ${event.step}`)
  }
  return effects.flatMap((row) =>
    intents.has(row.kind === 'do' ? `do ${row.key} ${row.attempt}` : `undo ${row.step}`)
      ? []
      : [`${name(row)}, and the journal of ${id} does not know that it was to be`],
  )
}

function name({ kind, saga, step, agent }: EffectRow): string {
  return `${step} of ${saga} was ${kind === 'do' ? 'done' : 'undone'} at ${agent}`
}

import type { SagaStatus } from '../kernel/life-machine.ts'
import { isOver, type SagaState, type Waiting } from '../kernel/saga-state.ts'
import { describeSaga, type SagaView } from './describe-saga.ts'

/** How the sagas of one definition stand, as far as this process has them. */
export interface SagaStats {
  readonly definition: string
  /** Sagas that are not over, by what they are at. */
  readonly open: Readonly<Record<Exclude<SagaStatus, 'completed' | 'compensated' | 'aborted'>, number>>
  /** Of those that wait, by what for. */
  readonly waitingFor: Readonly<Partial<Record<Waiting['for'], number>>>
  /** Of those that are stuck, by the code of each step that is. */
  readonly stuckBy: Readonly<Record<string, number>>
  /** Sagas that ended since this process began. */
  readonly ended: Readonly<Record<'completed' | 'compensated' | 'aborted', number>>
}

/** Counts the sagas of a process by what they are at, and says when one gets stuck. */
export interface SagaGauge {
  /** A saga is at this state now. */
  moved(state: SagaState): void
  /** A saga is another process's now, or was given up here. */
  left(id: string): void
  stats(): readonly SagaStats[]
}

interface Standing {
  readonly definition: string
  readonly status: SagaStatus
  readonly waitingFor: Waiting['for'] | undefined
  readonly codes: readonly string[]
}

const none: readonly string[] = []

/** Creates an empty gauge. `onStuck` is told once each time that a saga gets stuck here. */
export function createSagaGauge(onStuck: (view: SagaView) => void): SagaGauge {
  const standings = new Map<string, Standing>()
  const ended = new Map<string, Record<'completed' | 'compensated' | 'aborted', number>>()
  /** Many sagas stand alike: one standing serves them all. */
  const shared = new Map<string, Standing>()

  const standingOf = (state: SagaState): Standing => {
    const { name } = state.started.definition
    const status = state.life.value
    const waitingFor = status === 'waiting' ? state.waiting?.for : undefined
    const codes = status === 'stuck' ? listStuck(state) : none
    const key = `${name} ${status} ${waitingFor ?? ''} ${codes.join(' ')}`
    const known = shared.get(key)
    if (known) return known
    const standing = { definition: name, status, waitingFor, codes }
    shared.set(key, standing)
    return standing
  }

  return {
    moved(state) {
      const { id, definition } = state.started
      const before = standings.get(id)
      if (isOver(state)) {
        standings.delete(id)
        const counts = ended.get(definition.name) ?? { completed: 0, compensated: 0, aborted: 0 }
        ended.set(definition.name, counts)
        counts[state.life.value as keyof typeof counts]++
        return
      }
      const standing = standingOf(state)
      if (standing === before) return
      standings.set(id, standing)
      if (standing.status === 'stuck' && before?.status !== 'stuck') onStuck(describeSaga(state))
    },
    left(id) {
      standings.delete(id)
    },
    stats() {
      const all = [...standings.values()]
      const names = new Set([...all.map(({ definition }) => definition), ...ended.keys()])
      return [...names].toSorted().map((definition) => {
        const own = all.filter((standing) => standing.definition === definition)
        const at = (status: SagaStatus): number => own.filter((standing) => standing.status === status).length
        return {
          definition,
          open: { running: at('running'), waiting: at('waiting'), undoing: at('undoing'), stuck: at('stuck') },
          waitingFor: countBy(own.flatMap(({ waitingFor }) => waitingFor ?? [])),
          stuckBy: countBy(own.flatMap(({ codes }) => codes)),
          ended: { completed: 0, compensated: 0, aborted: 0, ...ended.get(definition) },
        }
      })
    },
  }
}

function listStuck({ steps }: SagaState): readonly string[] {
  const codes = Object.values(steps).flatMap(({ snapshot, code = '' }) => (snapshot.value === 'stuck' ? [code] : []))
  return [...new Set(codes)].toSorted()
}

function countBy<Key extends string>(keys: readonly Key[]): Readonly<Record<Key, number>> {
  const counts = {} as Record<Key, number>
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1
  return counts
}

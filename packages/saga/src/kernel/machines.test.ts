import { createMachine, type AnyStateMachine } from 'xstate'
import { getAdjacencyMap } from 'xstate/graph'
import { describe, expect, it } from 'vitest'
import { lifeMachine, moveLife, runningLife } from './life-machine.ts'
import { beginSequence, moveSequence, sequenceMachine, type SequenceMove } from './sequence-machine.ts'
import { moveStep, plannedStep, stepMachine, type StepMove } from './step-machine.ts'
import { waitMachine } from './wait-machine.ts'

interface Node {
  readonly state: { readonly value: unknown }
  readonly transitions: Readonly<
    Record<string, { readonly event: { readonly type: string }; readonly state: Node['state'] }>
  >
}

/** Lists the edges of all states that can be reached, as `from -event-> to`. */
function walk(machine: AnyStateMachine, events: readonly unknown[]): readonly string[] {
  const map = getAdjacencyMap(machine, { events: events.map((type) => ({ type: String(type) })) })
  return Object.values<Node>({ ...map }).flatMap(({ state, transitions }) =>
    Object.values(transitions)
      .filter((edge) => JSON.stringify(edge.state.value) !== JSON.stringify(state.value))
      .map((edge) => `${String(state.value)} -${edge.event.type}-> ${String(edge.state.value)}`),
  )
}

const targets = (edges: readonly string[], from: string): readonly string[] => [
  ...new Set(edges.filter((edge) => edge.startsWith(`${from} `)).map((edge) => edge.split('-> ')[1] ?? '')),
]

describe('machines', () => {
  it.each([
    ['step', stepMachine],
    ['sequence', sequenceMachine],
    ['life', lifeMachine],
    ['wait', waitMachine],
  ])('the %s has no invoke, no timer and no inline function', (_, machine) => {
    const text = JSON.stringify(machine.config, (key, value: unknown) =>
      typeof value === 'function' ? 'FUNCTION' : value,
    )
    expect(text).not.toMatch(/FUNCTION|"invoke"|"after"|"always"|"entry"/)
    expect(createMachine(machine.config).id).toBe(machine.id)
  })
})

describe('stepMachine', () => {
  const edges = walk(stepMachine, stepMachine.events)
  it('reaches every status', () => {
    const reached = new Set(edges.flatMap((edge) => [edge.split(' ')[0], edge.split('-> ')[1]]))
    expect(reached).toEqual(new Set(Object.keys(stepMachine.states)))
  })
  it('takes back only what is committed or unknown', () => {
    const before = edges.filter((edge) => edge.endsWith('-> undoing')).map((edge) => edge.split(' ')[0])
    expect(new Set(before)).toEqual(new Set(['committed', 'unknown']))
  })
  it('never leaves what is undone, skipped or waived, and what is stuck only by a decision', () => {
    for (const end of ['undone', 'skipped', 'waived']) expect(targets(edges, end)).toEqual([])
    const ways = edges.filter((edge) => edge.startsWith('stuck ')).map((edge) => edge.split('-')[1])
    expect(new Set(ways)).toEqual(new Set(['reopen', 'waive', 'settle']))
  })
  it('T48: never settles on a definite no while an earlier attempt is unsettled', () => {
    const lost = moveStep(moveStep(plannedStep, { type: 'intend' }), { type: 'lose' })
    const again = moveStep(lost, { type: 'intend' })
    for (const type of ['decline', 'refuse', 'fail', 'release'] as const satisfies readonly StepMove['type'][])
      expect(moveStep(again, { type }).value).toBe('unknown')
    expect(moveStep(again, { type: 'commit' })).toEqual({ value: 'committed', context: { unsettled: false } })
  })
})

describe('sequenceMachine', () => {
  it('goes forward, drains, and comes back to its start', () => {
    const moves = ['advance', 'turn', 'drained', 'retreat', 'retreat', 'retreat'] satisfies SequenceMove['type'][]
    const seen = moves.reduce(
      (list, type) => [...list, moveSequence(list.at(-1) ?? beginSequence(3), { type })],
      [beginSequence(3)],
    )
    expect(seen.map(({ value, context }) => `${value} ${context.at}`)).toEqual([
      'forward 0',
      'forward 1',
      'turning 1',
      'backward 1',
      'backward 0',
      'unwound 0',
      'unwound 0',
    ])
  })
})

describe('lifeMachine', () => {
  const edges = walk(lifeMachine, lifeMachine.events)
  it('never leaves an end', () => {
    for (const end of ['completed', 'compensated', 'aborted']) expect(targets(edges, end)).toEqual([])
    expect(targets(edges, 'stuck').toSorted()).toEqual(['aborted', 'running', 'undoing'])
  })
  it('T7: reaches compensated only from undoing, and completed never from there', () => {
    expect(edges.filter((edge) => edge.endsWith('-> compensated'))).toEqual(['undoing -compensate-> compensated'])
    expect(targets(edges, 'undoing').toSorted()).toEqual(['aborted', 'compensated', 'stuck'])
    expect(moveLife(runningLife, { type: 'compensate' }).value).toBe('running')
  })
})

import { createSeededRandom } from '@parley/ports'
import { fromTransition } from 'xstate'
import { getAdjacencyMap } from 'xstate/graph'
import { describe, expect, it } from 'vitest'
import { defineSaga, type SagaDefinition } from '../definition/define-saga.ts'
import { parallel } from '../definition/parallel.ts'
import type { Part } from '../definition/part.ts'
import { sequence } from '../definition/sequence.ts'
import { step } from '../definition/step.ts'
import { beginWalk, findBrokenInvariant, listNextEvents, nameState } from '../testing/saga-walk.fixture.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { foldSaga } from './fold-saga.ts'
import type { SagaEvent } from './saga-event.ts'
import type { SagaState } from './saga-state.ts'

type AnyPart = Part<Trip, Readonly<Record<string, unknown>>, unknown>

const reserve = (name: string): AnyPart =>
  step(name, { do: trips.reserve, input: () => ({ what: name }), retry: { attempts: 1, minDelayMs: 0, maxDelayMs: 0 } })

const names = (from: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `s${from + at}`)

interface Reached {
  readonly state: { readonly context: SagaState }
  readonly transitions: object
}

interface Shape {
  readonly title: string
  readonly definition: SagaDefinition
  /** Steps of which each is undone only after those that follow it. */
  readonly order: readonly (readonly string[])[]
}

const saga = (title: string, order: Shape['order'], ...parts: readonly AnyPart[]): Shape => ({
  title,
  definition: defineSaga('walk', { version: 1, input: anySchema<Trip>() }, ...parts),
  order,
})

const inSequence = (count: number): Shape =>
  saga(`${count} in sequence`, [names(1, count)], ...names(1, count).map(reserve))

const around = (width: number): Shape => {
  const inner = names(2, width)
  return saga(
    `a group of ${width} between two`,
    inner.map((name) => ['s1', name, 'last']),
    reserve('s1'),
    parallel('g', inner.map(reserve)),
    reserve('last'),
  )
}

const small: readonly Shape[] = [
  ...[1, 2, 3, 4, 5, 6].map(inSequence),
  ...[2, 3].map(around),
  saga(
    'three that lock, and ask again when declined',
    [['s1', 's2', 's3']],
    ...['s1', 's2', 's3'].map((name) =>
      step(name, {
        do: trips.reserve,
        input: () => ({ what: name }),
        retry: { attempts: 2, minDelayMs: 0, maxDelayMs: 0, declined: ['full'] },
        lock: true,
      }),
    ),
  ),
  saga(
    'two branches of two',
    [
      ['s1', 's2'],
      ['s3', 's4'],
    ],
    parallel('g', [sequence(reserve('s1'), reserve('s2')), sequence(reserve('s3'), reserve('s4'))]),
  ),
]

describe('the kernel', () => {
  it.each(small)('$title: holds in every state that can be reached, by every edge', ({ definition, order }) => {
    const logic = fromTransition(
      (state: SagaState, event: SagaEvent) => foldSaga([event], state),
      beginWalk(definition),
    )
    const map = getAdjacencyMap(logic, {
      events: (snapshot) => [...listNextEvents(snapshot.context)],
      serializeState: (snapshot) => nameState(snapshot.context),
      limit: 1_000_000,
    })
    const states = Object.values<Reached>({ ...map }).map(({ state }) => state.context)
    expect(states.flatMap((state) => findBrokenInvariant(state, order) ?? [])).toEqual([])
    const lives = new Set(states.map((state) => state.life.value))
    expect([...lives]).toEqual(expect.arrayContaining(['completed', 'compensated', 'stuck']))
    // A committed saga never leaves its end, and what is compensated never completes.
    for (const { state, transitions } of Object.values<Reached>({ ...map }))
      expect(state.context.life.value === 'completed' ? Object.keys(transitions) : []).toEqual([])
  })

  it('holds on 10,000 seeded walks through sagas that are larger', () => {
    const shapes = [inSequence(12), around(8), around(20)]
    const broken: string[] = []
    for (let seed = 1; seed <= 10_000; seed++) {
      const random = createSeededRandom(seed)
      const shape = shapes[seed % shapes.length]
      if (!shape) throw new TypeError('there is no shape')
      let state = beginWalk(shape.definition)
      for (let next = listNextEvents(state); next.length > 0; next = listNextEvents(state)) {
        // Mostly it goes well, so that walks come far.
        const good = next.filter((event) => ['committed', 'intended', 'undone', 'undo-intended'].includes(event.type))
        const from = good.length > 0 && random.float() < 0.9 ? good : next
        const event = from[Math.floor(random.float() * from.length)]
        if (event) state = foldSaga([event], state)
      }
      const problem = findBrokenInvariant(state, shape.order)
      if (problem !== undefined) broken.push(`seed ${seed}: ${problem}`)
    }
    expect(broken).toEqual([])
  }, 120_000)
})

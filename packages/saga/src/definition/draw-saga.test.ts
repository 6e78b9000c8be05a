import { getAdjacencyMap } from 'xstate/graph'
import { describe, expect, it } from 'vitest'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { defineSaga } from './define-saga.ts'
import { drawSaga } from './draw-saga.ts'
import { exportMachine } from './export-machine.ts'
import { parallel } from './parallel.ts'
import { pivot, step } from './step.ts'
import { signal, wait } from './wait.ts'

interface Node {
  readonly state: { readonly _nodes: readonly { readonly key: string }[] }
}

const reserve = { do: trips.reserve, input: () => ({ what: 'x' }) }
const trip = defineSaga(
  'trip',
  { version: 2, input: anySchema<Trip>() },
  step('flight', reserve),
  parallel('stay', [step('hotel', reserve), step('car', reserve)]),
  wait('paid', signal(anySchema<string>())),
  pivot('charge', { do: trips.charge, input: () => ({ amount: 1 }) }),
)

describe('drawSaga', () => {
  it('draws steps, groups, waits and the pivot as Mermaid', () => {
    expect(drawSaga(trip)).toBe(`flowchart LR
  start(["trip v2"])
  n_flight["flight\\ntrips:reserve ⟲"]
  start --> n_flight
  subgraph n_stay["stay"]
    n_hotel["hotel\\ntrips:reserve ⟲"]
    n_flight --> n_hotel
    n_car["car\\ntrips:reserve ⟲"]
    n_flight --> n_car
  end
  n_paid{{"paid: signal"}}
  n_hotel --> n_paid
  n_car --> n_paid
  n_charge[["charge\\ntrips:charge"]]
  n_paid --> n_charge
  end_([completed])
  n_charge --> end_
`)
  })
})

describe('exportMachine', () => {
  it('makes one machine in which every part is reached, and both ends', () => {
    const machine = exportMachine(trip)
    const names = ['flight', 'stay', 'paid', 'charge']
    const events = [...names, 'hotel', 'car'].flatMap((name) =>
      ['done', 'back', 'undone', 'stuck'].map((kind) => ({ type: `${kind}.${name}` })),
    )
    const map = getAdjacencyMap(machine, { events })
    const reached = new Set(
      Object.values<Node>({ ...map }).flatMap(({ state }) => state._nodes.map((node) => node.key)),
    )
    for (const name of [...names, 'hotel', 'car', 'undo stay', 'completed', 'compensated', 'stuck'])
      expect([...reached]).toContain(name)
    expect([...reached]).not.toContain('undo charge')
  })
})

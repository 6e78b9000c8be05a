import { describe, expect, expectTypeOf, it } from 'vitest'
import { anySchema, trips, type Booking, type Trip } from '../testing/trip-contract.fixture.ts'
import { defineSaga, withOutput, type SagaDefinition } from './define-saga.ts'
import { parallel } from './parallel.ts'
import type { Part } from './part.ts'
import { parsePlan, reservedPlanKinds } from './plan.ts'
import { sequence } from './sequence.ts'
import { pivot, step, type StepOptions } from './step.ts'

const options = { version: 1, input: anySchema<Trip>() }
const reserve = (name: string): Part<Trip, unknown, unknown> =>
  step(name, { do: trips.reserve, input: () => ({ what: name }) })
const mail = (name: string, retriable?: boolean): Part<Trip, unknown, unknown> =>
  step(name, { do: trips.mail, input: () => ({ text: name }), ...(retriable !== undefined && { retriable }) })
const charge = (name: string): Part<Trip, unknown, unknown> =>
  pivot(name, { do: trips.charge, input: () => ({ amount: 1 }) })

describe('defineSaga', () => {
  it.each<[string, readonly Part<Trip, unknown, unknown>[], RegExp]>([
    ['no steps', [], /no steps/],
    ['a step before the pivot that cannot be undone', [mail('mail'), charge('pay')], /"mail" cannot be undone/],
    ['a step without undo where there is no pivot', [mail('mail')], /"mail" cannot be undone/],
    ['a step after the pivot that is not retriable', [charge('pay'), mail('mail')], /"mail" comes after the pivot/],
    ['two pivots', [charge('pay'), charge('again')], /two pivots, "pay" and "again"/],
    ['a pivot inside a group', [parallel('all', [charge('pay')])], /"pay" stands inside the group "all"/],
    ['a name that is used twice', [reserve('a'), reserve('a')], /"a" is used twice/],
    ['a group with the name of a step', [reserve('a'), parallel('a', [reserve('b')])], /"a" is used twice/],
    ['an empty group', [parallel('all', [])], /"all" has no branches/],
    ['a malformed name', [reserve('A b')], /"A b" must be/],
  ])('refuses %s', (_, parts, message) => {
    expect(() => defineSaga('trip', options, ...parts)).toThrow(message)
    expect(() => defineSaga('trip', options, ...parts)).toThrow(
      expect.objectContaining({ code: 'saga.definition-invalid' }),
    )
  })

  it.each<[string, () => unknown]>([
    ['a version of 0', () => defineSaga('trip', { ...options, version: 0 }, reserve('a'))],
    ...[0, 1.5, Number.NaN].map((concurrency): [string, () => unknown] => [
      `a concurrency of ${concurrency}`,
      () => defineSaga('trip', { ...options, concurrency }, reserve('a')),
    ]),
    ...[{ maxDelayMs: Infinity }, { minDelayMs: Number.NaN }, { minDelayMs: -1 }, { minDelayMs: 2, maxDelayMs: 1 }].map(
      (retry): [string, () => unknown] => [
        `delays of ${String(Object.entries(retry))}`,
        () => defineSaga('trip', options, step('a', { do: trips.reserve, input: () => ({ what: '' }), retry })),
      ],
    ),
    [
      'no attempts',
      () =>
        defineSaga(
          'trip',
          options,
          step('a', { do: trips.reserve, input: () => ({ what: '' }), retry: { attempts: 0 } }),
        ),
    ],
    [
      'an empty list of providers',
      () => defineSaga('trip', options, step('a', { do: trips.reserve, input: () => ({ what: '' }), to: [] })),
    ],
    [
      'an empty list of owners',
      () => defineSaga('trip', options, step('a', { do: trips.reserve, input: () => ({ what: '' }), among: [] })),
    ],
    [
      'a step with both `to` and `among`',
      () =>
        defineSaga(
          'trip',
          options,
          step('a', { do: trips.reserve, input: () => ({ what: '' }), to: () => ['acme/a'], among: ['acme'] }),
        ),
    ],
    ['a sequence outside a group', () => defineSaga('trip', options, sequence(reserve('a'), reserve('b')))],
  ])('refuses %s', (_, define) => {
    expect(define).toThrow(expect.objectContaining({ code: 'saga.definition-invalid' }))
  })

  it('accepts a retriable step and a read after the pivot', () => {
    const search = step('search', { do: trips.search, input: ({ saga }: { saga: Trip }) => saga })
    expect(defineSaga('trip', options, reserve('a'), charge('pay'), mail('mail', true), search).steps.size).toBe(4)
  })

  it('changes its fingerprint with names, order and groups, and not with functions, retries or providers', () => {
    const fingerprint = (...parts: readonly Part<Trip, unknown, unknown>[]): string =>
      defineSaga('trip', options, ...parts).fingerprint
    const base = fingerprint(reserve('a'), reserve('b'))
    const other = step('a', {
      do: trips.reserve,
      input: () => ({ what: 'other' }),
      to: ['acme/x'],
      retry: { attempts: 9 },
    })
    expect(fingerprint(other, reserve('b'))).toBe(base)
    for (const changed of [
      fingerprint(reserve('b'), reserve('a')),
      fingerprint(reserve('a')),
      fingerprint(parallel('all', [reserve('a'), reserve('b')])),
      defineSaga('other', options, reserve('a'), reserve('b')).fingerprint,
    ])
      expect(changed).not.toBe(base)
  })

  it('knows the types of inputs, of results before a part, and of the output', () => {
    const definition = defineSaga(
      'trip',
      options,
      step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.from }) }),
      parallel('stay', [
        step('hotel', { do: trips.reserve, input: ({ results }) => ({ what: results.flight.ref }) }),
        sequence(
          step('car', { do: trips.reserve, input: ({ saga, results }) => ({ what: saga.to + results.flight.ref }) }),
          step('seat', { do: trips.reserve, input: ({ results }) => ({ what: results.car.ref }) }),
        ),
      ]),
      pivot('pay', { do: trips.charge, input: ({ results }) => ({ amount: results.seat.ref.length }) }),
    )
    expectTypeOf(definition).toExtend<
      SagaDefinition<Trip, { flight: Booking; hotel: Booking; car: Booking; seat: Booking; pay: { receipt: number } }>
    >()
    expectTypeOf(withOutput(definition, ({ results }) => results.pay.receipt)).toExtend<SagaDefinition<Trip, number>>()
    expect(definition.steps.size).toBe(5)
  })

  it('does not take a mapper that makes another input', () => {
    type Mapper = StepOptions<{ readonly what: string }, Booking, unknown, Booking, Trip, unknown>['input']
    expectTypeOf<() => { what: number }>().not.toExtend<Mapper>()
    expectTypeOf<() => { what: string }>().toExtend<Mapper>()
    expectTypeOf<(context: { saga: { other: string } }) => { what: string }>().not.toExtend<Mapper>()
  })
})

describe('parsePlan', () => {
  it.each([...reservedPlanKinds, 'teleport'])('refuses the kind %s by name', (kind) => {
    expect(() => parsePlan([{ kind, name: 'later' }])).toThrow(
      expect.objectContaining({ code: 'saga.plan-unsupported', message: expect.stringContaining(kind) }),
    )
  })
  it.each([[null], [{}], [[{ kind: 'step', name: 'a' }]], [[{ kind: 'parallel', name: 'a' }]], [[7]]])(
    'refuses %j, which is no plan',
    (value) => {
      expect(() => parsePlan(value)).toThrow(expect.objectContaining({ code: 'saga.journal-corrupt' }))
    },
  )
})

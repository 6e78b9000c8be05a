import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineContract, printCapability } from './contract.ts'

const input = z.object({ to: z.string(), seats: z.number().int().optional() })
const output = z.object({ seat: z.string() })

describe('defineContract', () => {
  it('gives one capability for each operation, with its facts', () => {
    const flights = defineContract(
      'flights',
      { reserve: { input, output, risk: 'reversible', undo: true } },
      { version: 3 },
    )
    expect(flights).toMatchObject({ name: 'flights', version: 3 })
    expect(flights.reserve).toMatchObject({ capability: 'flights:reserve', risk: 'reversible', undo: true, errors: {} })
    expect(flights.capabilities).toEqual([flights.reserve])
    expect(flights.reserve.hash).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  it('gives the same hash for the same contract, in whatever order it is written', () => {
    const one = defineContract('flights', { reserve: { input, output, risk: 'read' } })
    const other = defineContract('flights', {
      list: { input, output, risk: 'read' },
      reserve: { risk: 'read', output, input: z.object({ seats: z.number().int().optional(), to: z.string() }) },
    })
    expect(JSON.stringify(printCapability(other.reserve))).not.toBe(JSON.stringify(printCapability(one.reserve)))
    expect(other.reserve.hash).toBe(one.reserve.hash)
  })

  it('gives another hash when schema, error, risk or undo differ', () => {
    const definition = { input, output, risk: 'reversible' } as const
    const hashes = [
      definition,
      { ...definition, input: z.object({ to: z.number() }) },
      { ...definition, output: z.object({ seat: z.number() }) },
      { ...definition, risk: 'read' as const },
      { ...definition, undo: true },
      { ...definition, errors: { full: z.object({}) } },
      { ...definition, stream: output },
      { ...definition, progress: output },
    ].map((one) => defineContract('flights', { reserve: one }).reserve.hash)
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it.each(['name', 'version', 'capabilities', 'events', 'Reserve', 'a b', '', 'a:b:c'])(
    'refuses %j as the name of an operation',
    (operation) => {
      expect(() => defineContract('flights', { [operation]: { input, output, risk: 'read' } })).toThrow(
        expect.objectContaining({ code: 'contract.invalid' }),
      )
    },
  )

  it('gives one event for each name, with a topic that no other event and no announcement has', () => {
    const names = ['a', 'a_b', 'b', 'card', 'who']
    const payload = z.object({ cents: z.number() })
    const events = Object.fromEntries(names.map((name) => [name, { payload }]))
    const contracts = ['a', 'a_b'].map((service) => defineContract(service, {}, { events }))
    expect(contracts[0]?.events['b']).toMatchObject({ capability: 'a:b', topic: 'aEb', risk: 'read' })
    const topics = contracts.flatMap((contract) => names.map((name) => contract.events[name]?.topic))
    expect(new Set([...topics, 'card', 'who']).size).toBe(names.length * 2 + 2)
    const other = defineContract('a', {}, { events: { b: { payload: z.object({ cents: z.string() }) } } })
    expect(other.events.b.hash).not.toBe(contracts[0]?.events['b']?.hash)
  })

  it('refuses an event that is no capability, or that is an operation', () => {
    const invalid = expect.objectContaining({ code: 'contract.invalid' }) as Error
    const events = { reserve: { payload: output } }
    expect(() => defineContract('flights', { reserve: { input, output, risk: 'read' } }, { events })).toThrow(invalid)
    expect(() => defineContract('flights', {}, { events: { Moved: { payload: output } } })).toThrow(invalid)
  })

  it('refuses a schema that cannot be printed, naming its place', () => {
    const unprintable = z.object({ at: z.string().transform((text) => new Date(text)) })
    expect(() => defineContract('flights', { reserve: { input, output: unprintable, risk: 'read' } })).toThrow(
      /the output schema of flights:reserve cannot be printed/,
    )
  })
})

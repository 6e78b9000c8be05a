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
    ].map((one) => defineContract('flights', { reserve: one }).reserve.hash)
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it.each(['name', 'version', 'capabilities', 'Reserve', 'a b', '', 'a:b:c'])(
    'refuses %j as the name of an operation',
    (operation) => {
      expect(() => defineContract('flights', { [operation]: { input, output, risk: 'read' } })).toThrow(
        expect.objectContaining({ code: 'contract.invalid' }),
      )
    },
  )

  it('refuses a schema that cannot be printed, naming its place', () => {
    const unprintable = z.object({ at: z.string().transform((text) => new Date(text)) })
    expect(() => defineContract('flights', { reserve: { input, output: unprintable, risk: 'read' } })).toThrow(
      /the output schema of flights:reserve cannot be printed/,
    )
  })
})

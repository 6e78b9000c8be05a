import { createManualClock, createSeededRandom, silentLogger } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { defineContract } from '../contract/contract.ts'
import { createLocalCaller } from './local-caller.ts'
import type { LocalNode } from './local-hop.ts'
import type { Serves } from './serve.ts'

const seats = defineContract('seats', {
  take: {
    input: z.object({ row: z.int() }),
    output: z.object({ seat: z.string() }),
    errors: { full: z.object({ left: z.int() }) },
    risk: 'reversible',
    undo: true,
  },
})

const command = { id: 't', step: 'seat', attempt: 1, epoch: 1, key: 'acme/desk/t/seat', expiresAtMs: 1e15 } as const

function openCaller(serves: Serves<typeof seats>) {
  const clock = createManualClock()
  const unasked = (): never => {
    throw new TypeError('nobody else is asked in these tests')
  }
  const node: LocalNode = {
    name: 'acme/desk',
    owner: 'did:key:zOwner',
    instance: 'did:key:zOne',
    clock,
    random: createSeededRandom(1),
    logger: silentLogger,
    call: unasked,
    tryCall: unasked,
    stream: unasked,
    emit: unasked,
  }
  const local = createLocalCaller(node, seats, serves)
  const call = (input: unknown, phase: 'do' | 'undo' | 'lookup' = 'do', signal?: AbortSignal) =>
    local.tryCall(seats.take, input, { deadlineMs: 50, saga: { ...command, phase }, ...(signal && { signal }) })
  return { clock, call, local }
}

describe('createLocalCaller', () => {
  it('ends as what serves the capability says, with the agent itself as the caller', async () => {
    const { call } = openCaller({
      take: ({ row }, hop) => {
        if (row === 0) return hop.decline('full', { left: 0 })
        if (row === 1) return hop.fail({ retryable: true })
        if (row === 2) return hop.refuse('saga.tombstoned')
        return { seat: `${String(row)}A for ${hop.caller.name}, ${hop.saga?.key ?? ''}` }
      },
    })
    expect(await call({ row: 7 })).toMatchObject({
      kind: 'ok',
      output: { seat: '7A for acme/desk, acme/desk/t/seat' },
      hop: { sent: true, peer: { name: 'acme/desk' } },
    })
    expect(await call({ row: 0 })).toMatchObject({ kind: 'declined', error: { name: 'full', details: { left: 0 } } })
    expect(await call({ row: 1 })).toMatchObject({ kind: 'failed', retryable: true })
    expect(await call({ row: 2 })).toMatchObject({ kind: 'refused', code: 'saga.tombstoned' })
  })

  it('holds both sides against the contract: bad input is refused, a throw and a bad output are unknown', async () => {
    const { call } = openCaller({
      take: ({ row }) => {
        if (row === 1) throw new Error('broke in the middle')
        return { seat: row } as unknown as { seat: string }
      },
    })
    expect(await call({ row: 'x' })).toMatchObject({ kind: 'refused', code: 'contract.input-invalid' })
    expect(await call({ row: 1 })).toMatchObject({ kind: 'unknown', code: 'contract.handler-failed' })
    expect(await call({ row: 2 })).toMatchObject({ kind: 'unknown', code: 'contract.output-invalid' })
  })

  it('runs undo and lookup, and refuses those that nobody gave', async () => {
    const undone: unknown[] = []
    const full = openCaller({
      take: {
        do: () => ({ seat: '' }),
        undo: (input) => {
          undone.push(input)
        },
        lookup: () => ({ found: 'absent' }),
      },
    })
    expect(await full.call({ output: { seat: '1A' } }, 'undo')).toMatchObject({ kind: 'ok' })
    expect(undone).toEqual([{ output: { seat: '1A' } }])
    expect(await full.call({}, 'lookup')).toMatchObject({ kind: 'ok', output: { found: 'absent' } })
    const bare = openCaller({ take: () => ({ seat: '' }) })
    expect(await bare.call({}, 'undo')).toMatchObject({ kind: 'refused', code: 'saga.command-invalid' })
    expect(await bare.call({}, 'lookup')).toMatchObject({ kind: 'refused', code: 'saga.command-invalid' })
  })

  it('is unknown at its deadline, and tells the work to stop', async () => {
    const started = Promise.withResolvers<AbortSignal>()
    const { clock, call } = openCaller({
      take: (_input, hop) => {
        started.resolve(hop.signal)
        return new Promise(() => undefined)
      },
    })
    const called = call({ row: 1 })
    const signal = await started.promise
    expect(signal.aborted).toBe(false)
    await clock.advance(50)
    expect(await called).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded' })
    expect(signal.aborted).toBe(true)
  })

  it('tells the work to stop when it is taken back, and ends as the work then says', async () => {
    const { call } = openCaller({
      take: (_input, hop) =>
        new Promise((resolve) => hop.signal.addEventListener('abort', () => resolve(hop.fail()), { once: true })),
    })
    const cancel = new AbortController()
    const called = call({ row: 1 }, 'do', cancel.signal)
    cancel.abort()
    expect(await called).toMatchObject({ kind: 'failed', retryable: false })
  })

  it('refuses a contract that nothing serves', () => {
    expect(() => openCaller({} as Serves<typeof seats>)).toThrow(
      expect.objectContaining({ code: 'mesh.config-invalid' }),
    )
    expect(openCaller({ take: () => ({ seat: '' }) }).local.serves('seats:other')).toBe(false)
  })
})

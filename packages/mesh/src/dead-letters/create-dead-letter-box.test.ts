import { createManualClock, silentLogger, systemHash, type KeyValue } from '@parley/ports'
import type { EnvelopeHeader } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { BareOutcome } from '../contract/outcome.ts'
import { createDeadLetterBox, maxBreaks } from './create-dead-letter-box.ts'
import type { DeadLetterBox, EndedRequest } from './dead-letter-box.ts'
import { maxDeadLetters, maxLetterChars, maxLettersOfCaller } from './letter-shelf.ts'

const malformed: BareOutcome = { kind: 'refused', code: 'contract.input-invalid', reason: '' }
const broken: BareOutcome = { kind: 'unknown', code: 'contract.handler-failed' }

const requestOf = (name: string, key: string, bytes = 10, owner = 'did:key:zOwner'): EndedRequest => ({
  header: {
    type: 'request',
    capability: 'rooms:reserve',
    saga: { id: 's', step: 'a', attempt: 1, epoch: 1, key, phase: 'do', expiresAtMs: 1 },
  } as unknown as EnvelopeHeader,
  session: { peer: { owner, name, instance: 'did:key:zOne' } } as EndedRequest['session'] & object,
  leaf: 'leaf',
  evidence: (options) => new Uint8Array(options?.withBody === false ? 1 : bytes),
})

interface Lab {
  readonly box: DeadLetterBox
  readonly values: Map<string, Uint8Array>
  readonly events: string[]
  readonly puts: () => number
  reopen(): Promise<DeadLetterBox>
}

function createLab(fails: () => boolean = () => false): Lab {
  const values = new Map<string, Uint8Array>()
  const events: string[] = []
  let puts = 0
  const clock = createManualClock()
  const keyValue: KeyValue = {
    get: async () => undefined,
    async put(key, value) {
      if (fails()) throw new Error('the disk is full')
      values.set(key, value)
      puts++
      return 1
    },
    async delete(key) {
      values.delete(key)
    },
    list: async (prefix) =>
      [...values].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => ({ key, value, revision: 1 })),
  }
  const create = (): DeadLetterBox =>
    createDeadLetterBox({
      keyValue,
      clock,
      hash: systemHash,
      logger: silentLogger,
      note: ({ event, peer }) => events.push(`${String(event)} ${String(peer)}`),
    })
  return {
    box: create(),
    values,
    events,
    puts: () => puts,
    async reopen() {
      const box = create()
      await box.load()
      return box
    },
  }
}

const callersOf = (box: DeadLetterBox): readonly string[] => [
  ...new Set(box.list().map(({ caller }) => String(caller.name))),
]

/** Waits until all that was noted is in the store: writes go one after the other. */
async function written(box: DeadLetterBox): Promise<void> {
  box.note(requestOf('acme/last', 'last'), malformed)
  await box.drop(box.list().at(-1)?.id ?? '')
}

describe('createDeadLetterBox', () => {
  it('I2: keeps a part of its room for each caller, whose own oldest letters make room', async () => {
    const { box, values, events, reopen } = createLab()
    box.note(requestOf('acme/quiet', 'k'), malformed)
    for (let at = 0; at < maxLettersOfCaller + 5; at++) box.note(requestOf('acme/flood', `k${at}`), malformed)
    expect(callersOf(box)).toEqual(['acme/quiet', 'acme/flood'])
    expect(box.list()).toHaveLength(maxLettersOfCaller + 1)
    expect(events.filter((event) => event === 'dropped acme/flood')).toHaveLength(5)
    expect(box.list().some(({ saga }) => saga.key === 'k4')).toBe(false)
    await written(box)
    expect(values.size).toBe(maxLettersOfCaller + 1)
    expect((await reopen()).list()).toEqual(box.list())
  })

  it('I2: keeps so many in all', () => {
    const { box } = createLab()
    for (let caller = 0; caller < 12; caller++)
      for (let at = 0; at < 90; at++) box.note(requestOf(`acme/c${caller}`, `k${at}`), malformed)
    expect(box.list()).toHaveLength(maxDeadLetters)
    expect(box.list()[0]?.caller.name).toBe('acme/c0')
    expect(box.list()[0]?.saga.key).toBe('k80')
  })

  it('I2: keeps so much in all, and makes room by the oldest of the owner who takes most', () => {
    const { box, events } = createLab()
    box.note(requestOf('quiet/a', 'k', 10, 'did:key:zQuiet'), malformed)
    const bytes = 262_144
    for (let at = 0; at < 90; at++) box.note(requestOf(`acme/c${at % 9}`, `k${at}`, bytes), malformed)
    const chars = box.list().reduce((sum, { evidence }) => sum + evidence.length, 0)
    expect(chars).toBeLessThanOrEqual(maxLetterChars)
    expect(chars).toBeGreaterThan(maxLetterChars - 2 * bytes)
    expect(callersOf(box)).toContain('quiet/a')
    expect(events.filter((event) => event.startsWith('dropped'))).not.toContain('dropped quiet/a')
    expect(box.list().some(({ saga }) => saga.key === 'k0')).toBe(false)
  })

  it('I2: lets no owner push out what is large of another by what is small and many', () => {
    const { box } = createLab()
    for (let at = 0; at < 40; at++) box.note(requestOf('quiet/a', `k${at}`, 100_000, 'did:key:zQuiet'), malformed)
    for (let name = 0; name < 30; name++)
      for (let at = 0; at < maxLettersOfCaller; at++) box.note(requestOf(`acme/n${name}`, `k${at}`, 500), malformed)
    expect(box.list()).toHaveLength(maxDeadLetters)
    expect(box.list().filter(({ caller }) => caller.name === 'quiet/a')).toHaveLength(40)
  })

  it('I2: bounds a letter that grew when its command came again', () => {
    const { box } = createLab()
    const send = (bytes: number): void => {
      for (let at = 0; at < 90; at++) box.note(requestOf(`acme/c${at % 9}`, `k${at}`, bytes), malformed)
    }
    send(10)
    expect(box.list()).toHaveLength(90)
    send(262_144)
    const chars = box.list().reduce((sum, { evidence }) => sum + evidence.length, 0)
    expect(chars).toBeLessThanOrEqual(maxLetterChars)
  })

  it('I2: writes a command that comes again and again as often as the store can', async () => {
    const { box, values, puts } = createLab()
    for (let at = 0; at < 1_000; at++) box.note(requestOf('acme/a', 'k'), malformed)
    await written(box)
    expect(puts()).toBeLessThan(5)
    expect(box.list()[0]?.count).toBe(1_000)
    const [stored] = [...values.values()].map((value): unknown => JSON.parse(new TextDecoder().decode(value)))
    expect(stored).toMatchObject({ count: 1_000 })
  })

  it('I1: keeps nothing of whoever has no session, nor of a call without a saga', () => {
    const { box } = createLab()
    const { session: _session, ...stranger } = requestOf('acme/a', 'k')
    const { header: _header, ...call } = requestOf('acme/a', 'k')
    for (const request of [stranger, call]) box.note(request, malformed)
    expect(box.list()).toEqual([])
  })

  it('I3: counts the breaks of a handler by command, and forgets what was served', async () => {
    const { box, values } = createLab()
    for (let at = 1; at < maxBreaks; at++) for (const key of ['a', 'b']) box.note(requestOf('acme/a', key), broken)
    expect(box.list()).toEqual([])
    box.note(requestOf('acme/a', 'a'), broken)
    expect(box.list().map(({ saga }) => saga.key)).toEqual(['a'])
    box.note(requestOf('acme/a', 'b'), { kind: 'ok', output: 1 })
    box.note(requestOf('acme/a', 'b'), broken)
    expect(box.list()).toHaveLength(1)
    box.note(requestOf('acme/a', 'a'), { kind: 'ok', output: 1 })
    expect(box.list()).toEqual([])
    await written(box)
    expect(values.size).toBe(0)
  })

  it('keeps a request without its body where that is too large', () => {
    const { box } = createLab()
    box.note(requestOf('acme/a', 'k', 300_000), malformed)
    expect(box.list()[0]?.evidence).toHaveLength(2)
  })

  it('goes on over a store that cannot write, and over letters that nobody wrote', async () => {
    let isFull = true
    const { box, values, reopen } = createLab(() => isFull)
    box.note(requestOf('acme/a', 'k'), malformed)
    await expect(box.replayed(box.list()[0]?.id ?? '', broken)).rejects.toThrow('the disk is full')
    expect(box.list()).toHaveLength(1)
    isFull = false
    values.set('dead-letter/x', new TextEncoder().encode('{"id":"x"}'))
    box.note(requestOf('acme/a', 'other'), malformed)
    await expect(box.drop('nobody')).resolves.toBe(false)
    expect((await reopen()).list().map(({ saga }) => saga.key)).toEqual(['other'])
  })
})

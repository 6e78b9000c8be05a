import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { reservedPlanKinds } from '../definition/plan.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import { sagaEventTypes } from '../kernel/saga-event.ts'
import { describeSaga } from '../runner/describe-saga.ts'
import { decodeEntry, emptyHead, type JournaledEvent } from './journal-format.ts'

/** Journals that some version wrote, first what they come to. They replay for ever: add to them, change none. */
const folder = join(import.meta.dirname, 'recorded')

interface Recorded {
  readonly stream: string
  readonly status: string
  readonly steps: Readonly<Record<string, string>>
}

function replay(stream: string, lines: readonly string[]): readonly JournaledEvent[] {
  let head = emptyHead(stream)
  // What was compacted begins with its seal, at the position that it came to.
  const { n } = JSON.parse(lines[0]?.split('\n')[0] ?? '{}') as { readonly n: number }
  return lines.map((line, at) => {
    const decoded = decodeEntry(head, n + at, new TextEncoder().encode(line))
    head = decoded.head
    return decoded.entry
  })
}

const recorded = readdirSync(folder).map((name): [string, Recorded, readonly string[]] => {
  const [first = '', ...lines] = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')
  // The bodies of an entry are its second line.
  const entries = lines.reduce<readonly string[]>(
    (all, line) => (line.startsWith('{"salt"') ? all.with(-1, `${all.at(-1) ?? ''}\n${line}`) : [...all, line]),
    [],
  )
  return [name, JSON.parse(first) as Recorded, entries]
})

describe('recorded journals', () => {
  it.each(recorded)('%s replays to what it came to', (_, { stream, status, steps }, lines) => {
    const state = foldSaga(replay(stream, lines).map(({ event }) => event))
    const view = describeSaga(state)
    expect(view.status).toBe(status)
    expect(Object.fromEntries(Object.entries(view.steps).map(([name, step]) => [name, step.status]))).toEqual(steps)
  })

  it('hold every kind of event, so that none changes its meaning unseen', () => {
    const seen = new Set(
      recorded.flatMap(([, { stream }, lines]) => replay(stream, lines).map(({ event }) => event.type)),
    )
    expect([...seen].toSorted()).toEqual(Object.keys(sagaEventTypes).toSorted())
  })

  it('of another format, or with one byte changed, are refused', () => {
    const [first] = recorded
    if (!first) throw new TypeError('nothing is recorded')
    const [, { stream }, lines] = first
    const changed = lines.with(0, (lines[0] ?? '').replace('"v":1', '"v":3'))
    expect(() => replay(stream, changed)).toThrow(expect.objectContaining({ code: 'saga.plan-unsupported' }))
    const flipped = lines.with(1, (lines[1] ?? '').replace('"epoch":1', '"epoch":7'))
    expect(() => replay(stream, flipped)).toThrow(expect.objectContaining({ code: 'saga.journal-corrupt' }))
    expect(() => replay('saga/acme/other/x', lines)).toThrow(expect.objectContaining({ code: 'saga.journal-corrupt' }))
  })
})

describe('a journal of an older format', () => {
  const reader = { format: 2, upcasters: { 1: renameEpoch } }

  it.each(recorded.filter(([name]) => name.startsWith('v1-')))(
    '%s is read by a later release that has the way from it, whatever follows in its own',
    (_, { stream, status }, lines) => {
      const [first = '', ...rest] = lines
      const { n } = JSON.parse(first) as { readonly n: number }
      let head = emptyHead(stream)
      const events = [first, ...rest].map((line, at) => {
        const decoded = decodeEntry(head, n + at, new TextEncoder().encode(line), { reader })
        head = decoded.head
        return decoded.entry.event
      })
      expect(events.some((event) => 'term' in event)).toBe(events.some(({ type }) => type === 'owned'))
      expect(describeSaga(foldSaga(events)).status).toBe(status)
      const next = JSON.stringify({ v: 2, n: head.position + 1, prev: head.hash, at: 0, event: { type: 'stuck' } })
      expect(decodeEntry(head, head.position + 1, new TextEncoder().encode(next), { reader }).entry.event.type).toBe(
        'stuck',
      )
    },
  )

  it.each([0, 3, 1.5, '1', null])('is refused where no way leads from it: %j', (v) => {
    const stream = 'saga/acme/travel/t'
    const line = JSON.stringify({ v, n: 1, prev: emptyHead(stream).hash, at: 0, event: { type: 'stuck' } })
    expect(() => decodeEntry(emptyHead(stream), 1, new TextEncoder().encode(line), { reader })).toThrow(
      expect.objectContaining({ code: 'saga.plan-unsupported' }),
    )
  })

  /** What a later format could change: it tells the epoch under another name, too. */
  function renameEpoch(event: unknown): unknown {
    const given = event as Readonly<Record<string, unknown>>
    return given['type'] === 'owned' ? { ...given, term: given['epoch'] } : given
  }
})

describe('a hand-written journal', () => {
  const entry = (prev: string, event: unknown): string => JSON.stringify({ v: 1, n: 1, prev, at: 0, event })
  const started = (kind: string): unknown => ({
    type: 'started',
    id: 't',
    owner: 'did:key:zOwner',
    definition: { name: 'later', version: 1, fingerprint: 'x' },
    plan: [{ kind, name: 'part', branches: [], of: [] }],
    input: null,
    expiresAtMs: 1,
    trace: '',
  })

  it.each([...reservedPlanKinds])('with a part of the kind %s is refused by name: a later version runs it', (kind) => {
    const stream = 'saga/acme/travel/t'
    expect(() => replay(stream, [entry(emptyHead(stream).hash, started(kind))])).toThrow(
      expect.objectContaining({
        code: 'saga.plan-unsupported',
        message: expect.stringContaining(`"${kind}"`) as string,
      }),
    )
  })

  it.each(['grown', 'proposed', 'child-started'])('with the event %s is refused by name', (type) => {
    const stream = 'saga/acme/travel/t'
    expect(() => replay(stream, [entry(emptyHead(stream).hash, { type })])).toThrow(
      expect.objectContaining({
        code: 'saga.plan-unsupported',
        message: expect.stringContaining(`"${type}"`) as string,
      }),
    )
  })
})

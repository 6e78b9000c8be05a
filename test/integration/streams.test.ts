import {
  CallError,
  defineContract,
  type AppendedRecord,
  type CallStream,
  type Hop,
  type MeshNode,
  type StreamOptions,
} from '@parley/mesh'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue, type Rogue } from './rogue.ts'
import { readHeaders, tapWire } from './wire.ts'

const text = defineContract('text', {
  write: {
    input: z.object({ words: z.number().int() }),
    stream: z.object({ word: z.string() }),
    output: z.object({ words: z.number() }),
    errors: { 'no-words': z.object({ left: z.number() }) },
    risk: 'read',
  },
})
type Write = (
  input: { words: number },
  hop: Hop<{ 'no-words': { left: number } }>,
) => AsyncGenerator<{ word: string }, { words: number } | ReturnType<typeof hop.decline<'no-words'>>, undefined>

interface Desk extends AsyncDisposable {
  readonly mesh: TestMesh
  readonly writer: MeshNode
  readonly desk: MeshNode
  /** How many parts the generator made, and how it ended. */
  readonly made: { parts: number; finished: string }
  write(
    words: number,
    options?: StreamOptions,
  ): CallStream<{ word: string }, { words: number }, { readonly 'no-words': { left: number } }>
  recordsOf(node: MeshNode): readonly AppendedRecord[]
}

async function openDesk(serve?: Write): Promise<Desk> {
  const mesh = createTestMesh()
  const made = { parts: 0, finished: '' }
  const writer = await mesh.node('acme/writer', {
    serves: [text],
    serve: (node) => {
      node.serve(text, {
        write:
          serve ??
          async function* ({ words }) {
            try {
              for (; made.parts < words;) {
                made.parts += 1
                yield { word: `w${String(made.parts)}` }
              }
              made.finished = 'whole'
              return { words }
            } finally {
              made.finished ||= 'broken off'
            }
          },
      })
    },
  })
  const desk = await mesh.node('acme/desk', { calls: [text.write] })
  return {
    mesh,
    writer,
    desk,
    made,
    write: (words, options) => desk.stream(text.write, { words }, options),
    recordsOf: (node) => mesh.recordsOf(node).filter(({ kind }) => kind === 'hop' || kind === 'stream'),
    [Symbol.asyncDispose]: () => mesh.close(),
  }
}

/** Takes all parts, and what the loop threw. */
async function drain(
  stream: AsyncIterable<{ word: string }>,
): Promise<{ readonly words: readonly string[]; readonly error: unknown }> {
  const words: string[] = []
  try {
    for await (const { word } of stream) words.push(word)
    return { words, error: undefined }
  } catch (error) {
    return { words, error }
  }
}

/** An open session between the rogue and the writer, in which the rogue asks for a stream. */
async function ask(open: Desk, rogue: Rogue, session: string, counter: number, credit: number): Promise<string> {
  const [leaf = ''] = await rogue.send(
    open.writer.instance,
    rogue.request(session, counter, text.write, { header: { credit }, body: { words: 1_000 } }),
  )
  return leaf
}

describe('a streamed reply', () => {
  it('gives its parts in order, then the output', async () => {
    await using open = await openDesk()
    const stream = open.write(40)
    const { words, error } = await drain(stream)
    expect(error).toBeUndefined()
    expect(words).toEqual(Array.from({ length: 40 }, (_, at) => `w${String(at + 1)}`))
    expect(await stream.outcome).toMatchObject({ kind: 'ok', output: { words: 40 } })
  })

  it('is recorded at its opening and at its end, with the same count and hash on both sides', async () => {
    await using open = await openDesk()
    await drain(open.write(5))
    await open.mesh.clock.settle()
    const [caller, callee] = [open.desk, open.writer].map((node) => open.recordsOf(node))
    expect(caller).toMatchObject([
      { kind: 'stream', event: 'opened', side: 'caller' },
      { kind: 'hop', outcome: 'ok', parts: 5 },
    ])
    expect(callee).toMatchObject([
      { kind: 'stream', event: 'opened', side: 'callee' },
      { kind: 'hop', outcome: 'ok', parts: 5 },
    ])
    expect(caller?.[1]?.['partsHash']).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(caller?.[1]?.['partsHash']).toBe(callee?.[1]?.['partsHash'])
    expect(new Set([...(caller ?? []), ...(callee ?? [])].map(({ hop }) => hop)).size).toBe(1)
  })

  it('holds the handler back while nobody takes its parts', async () => {
    await using open = await openDesk()
    const parts = open.write(100, { maxAhead: 4 })[Symbol.asyncIterator]()
    await open.mesh.clock.settle()
    await open.mesh.clock.settle()
    // The fifth is made and waits for room.
    expect(open.made.parts).toBe(5)
    for (let taken = 0; taken < 2; taken++) await parts.next()
    await open.mesh.clock.settle()
    expect(open.made.parts).toBe(7)
    await parts.return?.()
  })

  it('ends at both sides when its reader leaves the loop, and ruins nobody', async () => {
    await using open = await openDesk()
    const stream = open.write(1_000)
    for await (const { word } of stream) if (word === 'w3') break
    expect(await stream.outcome).toMatchObject({ kind: 'unknown', code: 'hop.cancelled', stopped: true })
    await open.mesh.clock.settle()
    expect(open.made.finished).toBe('broken off')
    expect(open.made.parts).toBeLessThan(40)
    expect(open.recordsOf(open.writer)).toMatchObject([{}, { kind: 'hop', outcome: 'unknown', code: 'hop.cancelled' }])
    for (let left = 0; left < 12; left++) for await (const _ of open.write(1_000 + left)) break
    const { error } = await drain(open.write(open.made.parts + 1))
    expect(error).toBeUndefined()
  })

  it('that ends otherwise than ok throws after its last part', async () => {
    await using open = await openDesk(async function* (_, hop) {
      yield { word: 'one' }
      return hop.decline('no-words', { left: 0 })
    })
    const { words, error } = await drain(open.write(9))
    expect(words).toEqual(['one'])
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ outcome: { kind: 'declined', error: { name: 'no-words', details: { left: 0 } } } })
  })

  it('whose handler throws fails without a word of why', async () => {
    await using open = await openDesk(async function* () {
      yield { word: 'one' }
      throw new Error('a secret of the handler')
    })
    const { words, error } = await drain(open.write(9))
    expect(words).toEqual(['one'])
    expect(error).toMatchObject({ outcome: { kind: 'failed', code: 'contract.handler-failed' } })
    expect(String(error)).not.toContain('secret')
  })

  it('with a part that does not fit ends before that part', async () => {
    await using open = await openDesk(async function* () {
      yield { word: 'one' }
      yield { word: 2 as unknown as string }
      return { words: 2 }
    })
    const { words, error } = await drain(open.write(9))
    expect(words).toEqual(['one'])
    expect(error).toMatchObject({ outcome: { kind: 'unknown', code: 'contract.output-invalid' } })
  })

  it('of which a part is lost, or the last ones, does not end well', async () => {
    for (const lost of [2, 5]) {
      await using open = await openDesk()
      open.mesh.bus.inject({ kind: 'drop', when: (unit) => readHeaders(unit).some(({ part }) => part === lost) })
      const { words, error } = await drain(open.write(5))
      expect(words).toHaveLength(lost - 1)
      expect(error).toMatchObject({ outcome: { kind: 'unknown', code: 'stream.part-lost' } })
    }
  })

  it('ends at its deadline on both sides', async () => {
    await using open = await openDesk(async function* () {
      yield { word: 'one' }
      await new Promise<never>(() => undefined)
      return { words: 1 }
    })
    const stream = open.write(9, { deadlineMs: 500 })
    const ended = drain(stream)
    await open.mesh.clock.advance(500)
    expect(await ended).toMatchObject({ words: ['one'], error: { outcome: { code: 'deadline.exceeded' } } })
    expect(open.recordsOf(open.writer)).toMatchObject([{}, { outcome: 'unknown', parts: 1 }])
  })

  it('is its output alone for who asks with a call', async () => {
    await using open = await openDesk()
    const wire = tapWire(open.mesh.bus)
    expect(await open.desk.call(text.write, { words: 3 })).toEqual({ words: 3 })
    expect(wire.headers().filter(({ type }) => type === 'part')).toEqual([])
  })

  it('takes each part once, and only from who was asked, in its session', async () => {
    await using open = await openDesk()
    const wire = tapWire(open.mesh.bus)
    const parts = open.write(100, { maxAhead: 4 })[Symbol.asyncIterator]()
    await parts.next()
    await open.mesh.clock.settle()
    const request = wire.headers().find(({ type }) => type === 'request')
    const part = wire.unitOf('part')
    const leaf = readHeaders(part)[0]?.inReplyTo
    const copier = open.mesh.bus.connect()
    copier.publish(part.subject, part.data)
    const rogue = await createRogue(open.mesh, 'acme/writer', { serves: ['text:write'], calls: [] })
    const session = await rogue.shake(open.desk.instance)
    const forged = { type: 'part', part: 5, inReplyTo: leaf, contentType: 'application/json' }
    await rogue.send(open.desk.instance, { header: { ...forged, session, counter: 1 }, body: { word: 'forged' } })
    await rogue.send(open.desk.instance, {
      header: { ...forged, session: request?.session, counter: 99 },
      body: { word: 'forged' },
    })
    const { words, error } = await drain({ [Symbol.asyncIterator]: () => parts })
    expect(error).toBeUndefined()
    expect(words).toEqual(Array.from({ length: 99 }, (_, at) => `w${String(at + 2)}`))
  })

  it('sends no more than it was granted, however much is asked for', async () => {
    await using open = await openDesk()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['text:write'] })
    const session = await rogue.shake(open.writer.instance)
    const leaf = await ask(open, rogue, session, 1, 1_000_000)
    for (let turn = 0; turn < 60; turn++) await open.mesh.clock.settle()
    const count = (): number => rogue.inbox.filter(({ header }) => header.type === 'part').length
    expect(count()).toBe(256)
    await rogue.send(open.writer.instance, {
      header: { type: 'part', session, counter: 2, credit: 260, inReplyTo: leaf },
    })
    await open.mesh.clock.settle()
    expect(count()).toBe(260)
    const other = await createRogue(open.mesh, 'acme/other', { calls: ['text:write'] })
    const own = await other.shake(open.writer.instance)
    await other.send(open.writer.instance, {
      header: { type: 'part', session: own, counter: 1, credit: 400, inReplyTo: leaf },
    })
    expect(count()).toBe(260)
  })

  it('is told no more once the credential of its reader is expired, whatever was granted', async () => {
    let goOn = (): void => undefined
    await using open = await openDesk(async function* () {
      yield { word: 'one' }
      await new Promise<void>((resolve) => (goOn = resolve))
      yield { word: 'two' }
      return { words: 2 }
    })
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['text:write'] })
    await ask(open, rogue, await rogue.shake(open.writer.instance), 1, 100)
    open.mesh.clock.jump(60 * 60_000)
    goOn()
    await open.mesh.clock.settle()
    expect(rogue.inbox.filter(({ header }) => header.type === 'part')).toHaveLength(1)
    expect(open.recordsOf(open.writer).at(-1)).toMatchObject({
      outcome: 'unknown',
      code: 'identity.credential-expired',
    })
  })

  it('is told no more once its reader is in quarantine, whatever was granted', async () => {
    let goOn = (): void => undefined
    await using open = await openDesk(async function* () {
      yield { word: 'one' }
      await new Promise<void>((resolve) => (goOn = resolve))
      yield { word: 'two' }
      return { words: 2 }
    })
    const { issuer, clock } = open.mesh
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['text:write'] })
    await ask(open, rogue, await rogue.shake(open.writer.instance), 1, 100)
    await open.writer.acceptOrder(await issuer.order('quarantine', 'acme/rogue', { untilMs: clock.now() + 60_000 }))
    goOn()
    await clock.settle()
    expect(rogue.inbox.filter(({ header }) => header.type === 'part')).toHaveLength(1)
    expect(open.recordsOf(open.writer).at(-1)).toMatchObject({ outcome: 'unknown', code: 'identity.quarantined' })
  })
})

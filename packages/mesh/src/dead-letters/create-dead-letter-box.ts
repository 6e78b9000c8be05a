import type { Clock, Hash, KeyValue, Logger } from '@parley/ports'
import { formatId } from '@parley/protocol'
import { codeOf, type BareOutcome } from '../contract/outcome.ts'
import type { EventLog } from '../node/event-log.ts'
import { decodeDeadLetter, type DeadLetter } from './dead-letter.ts'
import type { DeadLetterBox, EndedRequest } from './dead-letter-box.ts'
import { createLatestWrites } from './latest-writes.ts'
import { createLetterShelf } from './letter-shelf.ts'

// I1 Only commands of sagas are kept, and only from whoever proved a credential: a stranger fills nothing.
// I2 A command is one letter, however often it comes. They are bounded in number and in size, in all and for each caller, and
//    what an owner leaves pushes out no other owner's.
// I3 A letter is forgotten when its command is served.

/** Refusals that the same command meets again, whenever it comes. */
const poison: ReadonlySet<string> = new Set([
  'contract.capability-unknown',
  'contract.input-invalid',
  'contract.incompatible',
  'saga.command-invalid',
])

/** What a handler ends with that broke. */
const broken: ReadonlySet<string> = new Set(['contract.handler-failed', 'contract.output-invalid'])

/** How often a handler may break over one command before it is kept: once is chance, three times is the command. */
export const maxBreaks = 3

/** A longer request is kept without its body, and cannot be replayed. Bytes. */
const maxEvidenceBytes = 262_144

const maxCounted = 4_096
const prefix = 'dead-letter/'

/** What a box of dead letters works with. */
export interface DeadLetterParts {
  readonly keyValue: KeyValue
  readonly clock: Clock
  readonly hash: Hash
  readonly note: EventLog
  readonly logger: Logger
}

/** Creates a box over a node's store. */
export function createDeadLetterBox({ keyValue, clock, hash, note, logger }: DeadLetterParts): DeadLetterBox {
  const letters = createLetterShelf()
  const breaks = new Map<string, number>()
  const writes = createLatestWrites(async (id) => {
    const letter = letters.get(id)
    try {
      if (letter) await keyValue.put(prefix + id, new TextEncoder().encode(JSON.stringify(letter)))
      else await keyValue.delete(prefix + id)
    } catch (error) {
      logger.error('dead-letter.not-kept', { error: error instanceof Error ? error.message : 'not an error' })
      throw error
    }
  })
  const tell = (event: 'kept' | 'dropped' | 'replayed' | 'served', letter: DeadLetter, more: object = {}): void => {
    const { id, capability, code, caller, saga } = letter
    note({
      kind: 'dead-letter',
      event,
      letter: id,
      capability,
      code,
      peer: caller.name,
      peerOwner: caller.owner,
      saga: saga.id,
      step: saga.step,
      phase: saga.phase,
      key: saga.key,
      ...more,
    })
  }
  const put = (letter: DeadLetter): Promise<void> => {
    letters.put(letter)
    return writes.write(letter.id)
  }
  const forget = (letter: DeadLetter): Promise<void> => {
    letters.delete(letter.id)
    breaks.delete(letter.id)
    return writes.write(letter.id)
  }
  const makeRoom = (next: DeadLetter): void => {
    for (let out = letters.crowdedOutBy(next); out; out = letters.crowdedOutBy(next)) {
      logger.warn('dead-letter.dropped', { letter: out.id, capability: out.capability, peer: out.caller.name })
      tell('dropped', out)
      forget(out).catch(() => undefined)
    }
  }
  const keep = (id: string, request: EndedRequest, code: string): void => {
    const { header, session } = request
    if (!header?.saga || !session) return
    const nowMs = clock.now()
    const before = letters.get(id)
    const whole = request.evidence()
    const letter: DeadLetter = {
      id,
      keptAtMs: before?.keptAtMs ?? nowMs,
      lastAtMs: nowMs,
      count: (before?.count ?? 0) + 1,
      replays: before?.replays ?? 0,
      code,
      capability: header.capability ?? '',
      saga: header.saga,
      caller: session.peer,
      leaf: request.leaf,
      evidence: Buffer.from(whole.length > maxEvidenceBytes ? request.evidence({ withBody: false }) : whole).toString(
        'base64url',
      ),
    }
    makeRoom(letter)
    if (!before) {
      logger.warn('dead-letter.kept', { letter: id, capability: letter.capability, peer: session.peer.name, code })
      tell('kept', letter)
    }
    // What cannot be written was logged; the letter stands in this life.
    put(letter).catch(() => undefined)
  }
  const countBreak = (id: string): number => {
    const count = (breaks.get(id) ?? 0) + 1
    breaks.delete(id)
    breaks.set(id, count)
    const [oldest] = breaks.size > maxCounted ? breaks.keys() : []
    if (oldest !== undefined) breaks.delete(oldest)
    return count
  }
  const isServed = (outcome: BareOutcome): boolean => outcome.kind === 'ok' || outcome.kind === 'declined'

  return {
    async load() {
      const found = (await keyValue.list(prefix)).flatMap(({ value }) => decodeDeadLetter(value) ?? [])
      for (const letter of found.toSorted((a, b) => a.keptAtMs - b.keptAtMs)) letters.put(letter)
    },
    note(request, outcome) {
      const code = codeOf(outcome) ?? ''
      const isBroken = outcome.kind !== 'declined' && broken.has(code)
      const isPoison = outcome.kind === 'refused' && poison.has(code)
      // Almost every command is served, and nothing is kept of it.
      if (!isBroken && !isPoison && letters.isEmpty() && breaks.size === 0) return
      const id = nameOf(hash, request)
      if (id === undefined) return
      if (isPoison || (isBroken && countBreak(id) >= maxBreaks)) keep(id, request, code)
      else if (isServed(outcome)) {
        const letter = letters.get(id)
        breaks.delete(id)
        if (!letter) return
        tell('served', letter)
        forget(letter).catch(() => undefined)
      }
    },
    list: letters.list,
    find: letters.get,
    async replayed(id, outcome) {
      const letter = letters.get(id)
      if (!letter) return
      const code = codeOf(outcome)
      tell('replayed', letter, { outcome: outcome.kind, ...(code === undefined ? {} : { code }) })
      if (isServed(outcome)) return forget(letter)
      await put({ ...letter, replays: letter.replays + 1, code: code ?? letter.code })
    },
    async drop(id) {
      const letter = letters.get(id)
      if (!letter) return false
      tell('dropped', letter)
      await forget(letter)
      return true
    },
  }
}

/** Names a command by who sent it and its key, so that nobody's letters are taken for another's. */
function nameOf(hash: Hash, { header, session }: EndedRequest): string | undefined {
  if (header?.type !== 'request' || !header.saga || !session) return undefined
  const { owner, name } = session.peer
  const { id, key, phase } = header.saga
  const text = JSON.stringify([owner, name, id, key, phase, header.capability])
  // 128 bits of it: no two commands that anybody finds.
  return formatId(hash(new TextEncoder().encode(text)).subarray(0, 16))
}

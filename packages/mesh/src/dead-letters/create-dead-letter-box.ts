import type { Clock, Hash, KeyValue, Logger } from '@parley/ports'
import { formatId } from '@parley/protocol'
import { codeOf, type BareOutcome } from '../contract/outcome.ts'
import type { EventLog } from '../node/event-log.ts'
import { decodeDeadLetter, type DeadLetter } from './dead-letter.ts'
import type { DeadLetterBox, EndedRequest } from './dead-letter-box.ts'

// I1 Only commands of sagas are kept, and only from whoever proved a credential: a stranger fills nothing.
// I2 A command is one letter, however often it comes. There are at most so many, and of one caller at most a part of them.
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

/** Letters in all, some 2 MB of small commands; and of one caller, so that no peer drives out what others left. */
export const maxDeadLetters = 1_000
export const maxLettersOfCaller = 100

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
  const letters = new Map<string, DeadLetter>()
  const breaks = new Map<string, number>()
  /** Writes of a letter go one after the other. */
  let last: Promise<void> = Promise.resolve()
  const write = (work: () => Promise<unknown>): Promise<void> => {
    const written = last.then(work).then(() => undefined)
    last = written.catch((error: unknown) => {
      logger.error('dead-letter.not-kept', { error: error instanceof Error ? error.message : 'not an error' })
    })
    return written
  }
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
    letters.set(letter.id, letter)
    return write(() => keyValue.put(prefix + letter.id, new TextEncoder().encode(JSON.stringify(letter))))
  }
  const forget = (letter: DeadLetter): Promise<void> => {
    letters.delete(letter.id)
    breaks.delete(letter.id)
    return write(() => keyValue.delete(prefix + letter.id))
  }
  /** Makes room by the oldest letter: of the caller who has too many, else of all. */
  const makeRoom = ({ caller }: DeadLetter): void => {
    const ofCaller = [...letters.values()].filter(
      (one) => one.caller.owner === caller.owner && one.caller.name === caller.name,
    )
    const oldest =
      ofCaller.length >= maxLettersOfCaller
        ? ofCaller[0]
        : letters.size >= maxDeadLetters
          ? letters.values().next().value
          : undefined
    if (!oldest) return
    logger.warn('dead-letter.dropped', { letter: oldest.id, capability: oldest.capability, peer: oldest.caller.name })
    tell('dropped', oldest)
    forget(oldest).catch(() => undefined)
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
    if (!before) {
      makeRoom(letter)
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
      for (const letter of found.toSorted((a, b) => a.keptAtMs - b.keptAtMs)) letters.set(letter.id, letter)
    },
    note(request, outcome) {
      const code = codeOf(outcome) ?? ''
      const isBroken = outcome.kind !== 'declined' && broken.has(code)
      const isPoison = outcome.kind === 'refused' && poison.has(code)
      // Almost every command is served, and nothing is kept of it.
      if (!isBroken && !isPoison && letters.size + breaks.size === 0) return
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
    list: () => [...letters.values()],
    find: (id) => letters.get(id),
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

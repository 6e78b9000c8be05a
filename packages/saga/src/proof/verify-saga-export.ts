import { hashChain, type Anchors, type Assurance } from '@parley/identity'
import { isMeshError, MeshError } from '@parley/protocol'
import { listPlanSteps } from '../definition/plan.ts'
import { decodeEntry, emptyHead, type DecodedEntry, type JournalHead } from '../journal/journal-format.ts'
import { formatSagaStream } from '../journal/saga-journal.ts'
import { decideNext } from '../kernel/decide-next.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isOver, type SagaState } from '../kernel/saga-state.ts'
import { assertEventShape } from './event-shape.ts'
import { createFactBook, type FactBook } from './fact-book.ts'
import type { ProvenDecision, SagaVerdict } from './saga-account.ts'
import { parseSagaFile, SagaFileError, type SagaFile } from './saga-file.ts'
import { verifyDecision } from './verify-decision.ts'

/** By what an exported saga is verified. */
export interface SagaExpectation {
  /** The owners whom the verifier accepts: nothing in the file is believed about them. */
  readonly anchors: Anchors
  /** How strongly a person who decided must have signed in (NIST SP 800-63B); default 2. */
  readonly assurance?: Assurance
  /** Owners (DIDs) besides the saga's whose persons may decide about it; default none. They need an anchor as well. */
  readonly deciders?: readonly string[]
  /** Takes the agent's word about steps that it did itself, which nobody else could sign. They are told as claims all the same. */
  readonly believesOwn?: boolean
  /** A head that was seen before: the saga must have gone through it. Finds a file that was cut off and ended anew. */
  readonly head?: { readonly entries: number; readonly hash: string }
}

/**
 * Verifies an exported saga with nothing but the file and the verifier's own anchors: the hash chain, each receipt's
 * signatures, credentials, names, delegation, epoch, step and attempt, what persons decided, and that the ending follows
 * from what was done. It asks nobody, so it does not know the orders (revocations) of that time, nor whether a saga that
 * is not over went on. A step's local end is the orchestrator's word, and is told as such.
 */
export function verifySagaExport(text: string, expected: SagaExpectation): SagaVerdict {
  let line = 1
  try {
    const file = parseSagaFile(text)
    const decoded: DecodedEntry[] = []
    let head = emptyHead(formatSagaStream(file.head.agent, file.head.saga))
    for (const entry of file.entries) {
      line = entry.line
      const next = readEntry(head, entry.text)
      decoded.push(next)
      head = next.head
    }
    line = file.end.line
    assertEnd(file.end, head, decoded, expected)
    // The chain holds: whatever is wrong from here on, somebody wrote on purpose.
    const reading = createReading(file, expected)
    for (const [at, entry] of decoded.entries()) {
      line = file.entries[at]?.line ?? 0
      reading.read(entry, line)
    }
    return reading.close()
  } catch (error) {
    if (!isMeshError(error)) throw error
    const { code, message } = error
    const kind = code === 'identity.owner-unknown' ? 'unaccepted' : 'tampered'
    return { kind, line: error instanceof SagaFileError ? error.line : line, code, reason: message }
  }
}

interface Reading {
  read(decoded: DecodedEntry, line: number): void
  close(): SagaVerdict
}

const encoder = new TextEncoder()

/** Reads an entry as a store does; where that speaks of a damaged journal, here it is the file that is none of its store. */
function readEntry(head: JournalHead, text: string): DecodedEntry {
  try {
    return decodeEntry(head, head.position + 1, encoder.encode(text), { needsBodies: false })
  } catch (cause) {
    if (!isMeshError(cause) || cause.code !== 'saga.journal-corrupt') throw cause
    throw new MeshError('saga.proof-altered', `${cause.message}: the file is not as it was exported`, { cause })
  }
}

function assertEnd(
  end: SagaFile['end'],
  head: JournalHead,
  decoded: readonly DecodedEntry[],
  { head: seen }: SagaExpectation,
): void {
  if (end.entries !== head.position || end.head !== head.hash)
    throw new MeshError('saga.proof-truncated', `the file ends at another entry than ${end.entries}`)
  if (seen && decoded[seen.entries - 1]?.head.hash !== seen.hash)
    throw new MeshError('saga.proof-truncated', `entry ${seen.entries} is missing, or another than was seen before`)
}

function createReading({ head: { agent, saga }, papers }: SagaFile, expected: SagaExpectation): Reading {
  const { anchors, assurance = 2, deciders = [] } = expected
  const heads = new Set<string>()
  const chains = new Map<string, readonly string[]>()
  const decisions: ProvenDecision[] = []
  const facts: FactBook = createFactBook({ agent, anchors, papers, heads, chains })
  let head = emptyHead(formatSagaStream(agent, saga))
  let state: SagaState | undefined
  let startedAtMs = 0
  let lastAtMs = 0

  const check = (before: SagaState, after: SagaState, decoded: DecodedEntry, line: number): void => {
    const { atMs, event } = decoded.entry
    const isApart = decoded.beside === 'apart' || decoded.bodies !== undefined
    if (isOver(before) && event.type !== 'receipt' && event.type !== 'closed')
      throw corrupt(`the saga was ${before.life.value} before it went on with "${event.type}"`)
    if (event.type === 'owned' && event.epoch <= before.epoch)
      throw corrupt(`the epoch ${event.epoch} follows ${before.epoch}: nobody could take the saga so`)
    if (event.type === 'intended' && event.epoch !== before.epoch)
      throw corrupt(`the step "${event.step}" is intended in another epoch than its owner's`)
    if (event.type === 'decided') {
      const setting = { state: before, agent, atMs, anchors, assurance, deciders, isWhole: !isApart }
      decisions.push({ line, ...verifyDecision(event, setting) })
    }
    checkEnd(before, event, atMs)
    facts.take({ event, atMs, line, state: before, after, isApart })
  }

  return {
    read(decoded, line) {
      const { event, atMs } = decoded.entry
      assertEventShape(event)
      if (event.type === 'sealed')
        throw new MeshError('saga.sealed', 'the journal was compacted: nothing of it is left to be proved')
      if (event.type === 'started') {
        if (event.id !== saga) throw corrupt(`it begins with the saga "${event.id}", not with "${saga}"`)
        startedAtMs = atMs
      }
      const before = state
      state = foldSaga([event], before)
      if (before) check(before, state, decoded, line)
      for (const links of listChains(event)) chains.set(hashChain(links), links)
      head = decoded.head
      heads.add(head.hash)
      lastAtMs = atMs
    },
    close() {
      if (!state) throw new MeshError('saga.proof-truncated', 'the file has no entry')
      const { owner, definition } = state.started
      const claimed = facts
        .claimed(state)
        .filter((step) => !(expected.believesOwn === true && state?.steps[step]?.provider === agent))
      const account = {
        agent,
        owner,
        saga,
        definition,
        status: state.life.value,
        startedAtMs,
        lastAtMs,
        entries: head.position,
        head: head.hash,
        facts: facts.list(),
        decisions,
        claimed,
      }
      return { kind: claimed.length === 0 ? 'proved' : 'claimed', account }
    },
  }
}

/** An end is only believed where the kernel itself would come to it. */
function checkEnd(before: SagaState, event: SagaEvent, atMs: number): void {
  if (event.type !== 'completed' && event.type !== 'compensated' && event.type !== 'aborted' && event.type !== 'stuck')
    return
  const { now } = decideNext(before, atMs)
  if (now.some((decision) => decision.kind === 'end' && decision.as === event.type)) return
  const open = Object.values(before.steps)
    .filter(({ snapshot }) => ['executing', 'accepted', 'unknown', 'undoing', 'committed'].includes(snapshot.value))
    .map(({ plan, snapshot }) => `${plan.name} is ${snapshot.value}`)
  throw new MeshError(
    'saga.ending-unproven',
    `the saga cannot be ${event.type} here: ${open.length > 0 ? open.join(', ') : `it is ${before.life.value}`}`,
  )
}

function listChains(event: SagaEvent): readonly (readonly string[])[] {
  if (event.type === 'authorised') return [event.delegation]
  if (event.type !== 'started') return []
  const ofSteps = listPlanSteps(event.plan).flatMap(({ delegation }) => (delegation ? [delegation] : []))
  return event.delegation ? [event.delegation, ...ofSteps] : ofSteps
}

function corrupt(problem: string): MeshError {
  return new MeshError('saga.journal-corrupt', problem)
}

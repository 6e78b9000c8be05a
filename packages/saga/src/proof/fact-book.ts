import { verifyDelegationChain, type Anchors } from '@parley/identity'
import { MeshError, type CommandEnding } from '@parley/protocol'
import { foldSaga } from '../kernel/fold-saga.ts'
import type { ReceiptEvent, SagaEvent, SentCommand } from '../kernel/saga-event.ts'
import type { SagaState } from '../kernel/saga-state.ts'
import type { Paper } from '../receipt/paper.ts'
import type { BodyProof, StepFact } from './saga-account.ts'
import { verifyArguments, verifyInput, verifyOutput } from './verify-bodies.ts'
import { verifyReceipt, type VerifiedReceipt } from './verify-receipt.ts'

/** One entry, as it is read. */
export interface ReadEntry {
  readonly event: SagaEvent
  readonly atMs: number
  readonly line: number
  /** Before the entry. */
  readonly state: SagaState
  /** With the entry. */
  readonly after: SagaState
  /** Bodies of the entry are not in the file. */
  readonly isApart: boolean
}

/** Collects what happened to the steps of a saga, and who vouches for it. */
export interface FactBook {
  /** Takes an entry in. Throws a `MeshError` where a receipt does not hold, or a fact contradicts its receipt. */
  take(entry: ReadEntry): void
  list(): readonly StepFact[]
  /** Steps whose last fact, or that nothing came of their last intent, is only the orchestrator's word. */
  claimed(state: SagaState): readonly string[]
}

/** What all entries have in common. */
export interface FactSetting {
  readonly agent: string
  readonly anchors: Anchors
  readonly papers: ReadonlyMap<string, Paper>
  readonly heads: ReadonlySet<string>
  readonly chains: ReadonlyMap<string, readonly string[]>
}

interface HeldReceipt {
  readonly receipt: ReceiptEvent
  readonly verified: VerifiedReceipt
  readonly isApart: boolean
}

/** What an event says became of a step, and which ending of which phase its receipt must show. */
interface Claim {
  readonly fact: StepFact['fact']
  readonly phase: SentCommand['phase']
  readonly endings: readonly CommandEnding[]
}

/** Creates an empty book. */
export function createFactBook(setting: FactSetting): FactBook {
  const facts: StepFact[] = []
  /** The last receipt of each step and phase since it was used. */
  const held = new Map<string, HeldReceipt>()
  /** Steps that may have been sent, and of which nothing is known since. */
  const open = new Set<string>()
  /** Steps whose intent came without its bodies. */
  const apart = new Set<string>()

  const takeReceipt = (receipt: ReceiptEvent, { state, atMs, isApart }: ReadEntry): void => {
    const verified = verifyReceipt(receipt, { ...setting, state, atMs })
    held.set(`${receipt.step} ${receipt.phase}`, { receipt, verified, isApart })
  }

  const takeFact = (claim: Claim, entry: ReadEntry): void => {
    const { event, state, after, atMs, line } = entry
    if (!('step' in event) || event.step === undefined) return
    const step = state.steps[event.step]
    if (!step) return
    const { plan } = step
    const key = `${event.step} ${claim.phase}`
    const found = held.get(key)
    held.delete(key)
    // What the step's state did not allow changed nothing, so it must not stand above the fact that did.
    const hasMoved = after.steps[event.step]?.snapshot.value !== step.snapshot.value
    if (!hasMoved && claim.fact !== 'absent') return
    if (claim.fact !== 'absent' || found) open.delete(event.step)
    const attempt = claim.phase === 'undo' ? step.undoAttempts : step.attempt
    const fact = {
      line,
      atMs,
      step: event.step,
      capability: plan.capability,
      fact: claim.fact,
      phase: claim.phase,
      attempt,
      epoch: state.epoch,
      ...('code' in event && event.code !== undefined && { code: event.code }),
      ...(event.type === 'declined' && { code: event.error.name }),
    }
    if (!found) {
      facts.push({ ...fact, proof: 'claimed' })
      return
    }
    const { receipt, verified } = found
    if (!claim.endings.includes(verified.ending))
      throw contradicted(`"${event.step}" is ${claim.fact}, but its participant signed "${verified.ending}"`)
    if (receipt.attempt !== attempt && event.type !== 'committed')
      throw contradicted(`"${event.step}" is ${claim.fact} by the receipt of another attempt`)
    const { by, commanded } = verified
    facts.push({
      ...fact,
      proof: 'signed',
      by,
      ...(commanded && { commanded }),
      ...(claim.phase === 'do' && receipt.command && { input: readInput(found, entry) }),
      ...(claim.fact !== 'undone' && claim.fact !== 'absent' && { output: readOutput(found, entry) }),
    })
  }

  const readInput = ({ receipt, verified }: HeldReceipt, { state }: ReadEntry): BodyProof => {
    const given = { isHere: !apart.has(receipt.step), input: state.steps[receipt.step]?.input }
    const links = setting.chains.get(verified.command?.chain ?? '')
    const { commanded, command } = verified
    if (links && commanded && command) {
      const { anchors } = setting
      const chain = verifyDelegationChain(links, { anchors, nowMs: command.issuedAtMs, delegate: commanded })
      if (chain.kind === 'allow') verifyArguments(chain.chain.constraints, given)
    }
    return verifyInput(receipt, given)
  }

  const readOutput = ({ receipt, isApart }: HeldReceipt, entry: ReadEntry): BodyProof =>
    entry.isApart || isApart ? 'apart' : verifyOutput(receipt, entry.event, true)

  return {
    take(entry) {
      const { event, isApart, state, line, atMs } = entry
      if (event.type === 'receipt') return takeReceipt(event, entry)
      if (event.type === 'intended') open.add(event.step)
      if (event.type === 'intended' && isApart) apart.add(event.step)
      const claim = readClaim(event)
      if (claim) return takeFact(claim, entry)
      if (event.type !== 'decided' || event.about === undefined) return
      const { plan, attempt } = state.steps[event.about] ?? {}
      const fact = readDecided(state, event)
      if (plan && fact) {
        open.delete(event.about)
        facts.push({
          line,
          atMs,
          step: event.about,
          capability: plan.capability,
          fact,
          phase: 'do',
          attempt: attempt ?? 0,
          epoch: state.epoch,
          proof: 'human',
        })
      }
    },
    list: () => facts,
    claimed(state) {
      return Object.keys(state.steps).filter(
        (name) =>
          open.has(name) || facts.findLast((fact) => fact.step === name && fact.fact !== 'absent')?.proof === 'claimed',
      )
    },
  }
}

function readClaim(event: SagaEvent): Claim | undefined {
  switch (event.type) {
    case 'committed':
      return event.by === 'lookup'
        ? { fact: 'committed', phase: 'lookup', endings: ['found-ok'] }
        : { fact: 'committed', phase: 'do', endings: ['ok'] }
    case 'declined':
      return event.by === 'lookup'
        ? { fact: 'declined', phase: 'lookup', endings: ['found-declined'] }
        : { fact: 'declined', phase: 'do', endings: ['declined'] }
    case 'undone':
      return event.by === 'lookup'
        ? { fact: 'undone', phase: 'lookup', endings: ['found-tombstone'] }
        : { fact: 'undone', phase: 'undo', endings: ['ok'] }
    case 'refused':
      return { fact: 'refused', phase: 'do', endings: ['refused'] }
    case 'failed':
      return { fact: 'failed', phase: 'do', endings: ['failed'] }
    case 'looked-up':
      return event.found === 'absent' ? { fact: 'absent', phase: 'lookup', endings: ['found-absent'] } : undefined
    default:
      return undefined
  }
}

/** What a person said became of a step, as the kernel takes it. */
function readDecided(state: SagaState, event: SagaEvent & { readonly type: 'decided' }): StepFact['fact'] | undefined {
  const status = foldSaga([event], state).steps[event.about ?? '']?.snapshot.value
  return status === 'committed' || status === 'undone' ? status : undefined
}

function contradicted(problem: string): MeshError {
  return new MeshError('saga.receipt-invalid', `the step ${problem}`)
}

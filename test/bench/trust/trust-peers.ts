import { createKeySigner, generateSeed, verifySignature } from '@parley/identity'
import { createSystemClock, createSystemRandom, type Store } from '@parley/ports'
import { openTrustLedger, type TrustLedger, type TrustLedgerOptions } from '@parley/trust'

/** The agent that observes. */
export const rater = 'did:web:bench.example bench/rater'
const capability = 'echo:say'

/** Opens a ledger as a node does: with a key of its own, and real signatures. */
export function openBenchLedger(store: Store, more: Partial<TrustLedgerOptions> = {}): Promise<TrustLedger> {
  return openTrustLedger({
    store,
    clock: createSystemClock(),
    rater,
    signer: createKeySigner(generateSeed(createSystemRandom())),
    verify: verifySignature,
    isVouched: () => true,
    ...more,
  })
}

/** Folds everything that is in a store, as somebody would who has nothing but the evidence. */
export function readBenchLedger(store: Store): Promise<TrustLedger> {
  return openTrustLedger({
    store,
    clock: createSystemClock(),
    verify: verifySignature,
    isVouched: () => true,
    isRecomputed: true,
  })
}

/** Names peers of a thousand owners. */
export function listPeers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `did:web:owner${String(at % 1000)}.example owner/agent-${String(at)}`)
}

/** Makes what a hop sees, one after the other over all peers: a fresh envelope each, one call in sixteen failed. */
export function createHops(peers: readonly string[]): (ledger: TrustLedger) => void {
  let count = 0
  return (ledger) => {
    const number = count++
    const observation = ledger.observe({
      peer: peers[number % peers.length] ?? '',
      capability,
      role: 'callee',
      outcome: number % 16 === 0 ? 'failed' : 'ok',
      envelope: envelopeOf(number),
    })
    if (observation.kind !== 'taken') throw new Error(`evidence ${String(number)} was not taken`)
  }
}

/** 43 characters, as a leaf hash has. */
function envelopeOf(number: number): string {
  return number.toString(36).padStart(43, '-')
}

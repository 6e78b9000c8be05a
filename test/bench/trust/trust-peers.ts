import { createKeySigner, generateSeed, verifySignature } from '@parley/identity'
import { createSystemClock, createSystemRandom, systemHash, type Store } from '@parley/ports'
import { encodeBase64url } from '@parley/protocol'
import { openTrustLedger, type Observed, type TrustLedger, type TrustLedgerOptions } from '@parley/trust'

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

/** Makes what hops see, one after the other over all peers: a fresh envelope each, one call in sixteen failed. */
export function createHops(peers: readonly string[]): (count: number) => readonly Observed[] {
  let made = 0
  return (count) =>
    Array.from({ length: count }, () => {
      const number = made++
      return {
        peer: peers[number % peers.length] ?? '',
        capability,
        role: 'callee',
        outcome: number % 16 === 0 ? 'failed' : 'ok',
        envelope: leafOf(number),
      }
    })
}

/** Observes what hops saw. */
export function observeAll(ledger: TrustLedger, seen: readonly Observed[]): void {
  for (const observed of seen)
    if (ledger.observe(observed).kind !== 'taken') throw new Error(`${JSON.stringify(observed)} was not taken`)
}

/** What names an envelope: a hash, which a hop has anyway. */
function leafOf(number: number): string {
  return encodeBase64url(systemHash(new Uint8Array(Float64Array.of(number).buffer)))
}

import { createManualClock, systemHash, type ManualClock, type Signer } from '@parley/ports'
import type { SignatureCheck } from '@parley/protocol'
import type { Observed } from './evidence.ts'
import { createMemoryStore, type MemoryStore } from './memory-store.fixture.ts'
import {
  openTrustLedger,
  type Observation,
  type TierChange,
  type TrustLedger,
  type TrustLedgerOptions,
} from './trust-ledger.ts'
import type { Quarantine } from './trust-note.ts'

/** The agent that tests observe, and what of it. */
export const peer = 'did:web:sky.example sky/flights'
export const capability = 'flights:reserve'
/** Who observes. */
export const rater = 'did:web:desk.example desk/main'

/** A ledger with everything around it. */
export interface TrustLab {
  readonly ledger: TrustLedger
  readonly store: MemoryStore
  readonly clock: ManualClock
  readonly changes: TierChange[]
  readonly quarantines: Quarantine[]
  /** Every batch of own evidence that became durable. */
  readonly shared: Uint8Array[]
  /** Observes the same `times` times; as callee with the outcome `ok` unless told otherwise. */
  observe(change: Partial<Extract<Observed, { role: string }>>, times?: number): Observation
  /** Opens the store again, as another process would. */
  reopen(change?: Partial<TrustLedgerOptions>): Promise<TrustLedger>
}

/** Makes a signer whose signatures anybody can make, for tests that are not about keys. */
export function createToySigner(did: string): Signer {
  return { did, sign: (domain, bytes) => Promise.resolve(signToy(did, domain, bytes)) }
}

/** Verifies what a toy signer signs. */
export const verifyToy: SignatureCheck = (did, domain, bytes, signature) =>
  Buffer.from(signToy(did, domain, bytes)).equals(signature)

/** Opens a ledger in memory under whose anchors everybody is. */
export async function openTrustLab(options: Partial<TrustLedgerOptions> = {}): Promise<TrustLab> {
  const store = createMemoryStore()
  const clock = createManualClock()
  const changes: TierChange[] = []
  const quarantines: Quarantine[] = []
  const shared: Uint8Array[] = []
  const all: TrustLedgerOptions = {
    store,
    clock,
    rater,
    signer: createToySigner('did:key:zDesk'),
    verify: verifyToy,
    isVouched: () => true,
    onTierChange: (change) => changes.push(change),
    onQuarantine: (quarantine) => quarantines.push(quarantine),
    onShare: (sealed) => shared.push(sealed),
    ...options,
  }
  const ledger = await openTrustLedger(all)
  return {
    ledger,
    store,
    clock,
    changes,
    quarantines,
    shared,
    observe(change, times = 1) {
      let result: Observation = { kind: 'neutral' }
      for (let time = 0; time < times; time++)
        result = ledger.observe({ peer, capability, role: 'callee', outcome: 'ok', ...change })
      return result
    },
    reopen: (change = {}) => openTrustLedger({ ...all, ...change }),
  }
}

function signToy(did: string, domain: string, bytes: Uint8Array): Uint8Array {
  const digest = systemHash(new TextEncoder().encode(`${did} ${domain} `), bytes)
  return new Uint8Array([...digest, ...digest])
}

import { verifySignature } from '@parley/identity'
import { createSystemClock, type Signer } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { openTrustLedger, type TrustLedger } from '@parley/trust'
import { withStore } from './with-store.ts'

/**
 * Opens the trust ledger in the store of a stopped node, hands it to `use`, and closes both. Without a signer the whole
 * stream is folded anew, its signatures checked, and nothing is written. Rejects as
 * `withStore` does, and with `store.corrupt` for a stream that does not hold.
 */
export async function withTrustStore<Result>(
  path: string,
  signer: Signer | undefined,
  use: (ledger: TrustLedger) => Promise<Result> | Result,
): Promise<Result> {
  return withStore(path, async (store) => {
    await using ledger = await openTrustLedger({
      store,
      clock: createSystemClock(),
      verify: verifySignature,
      isRecomputed: true,
      ...(signer && { signer }),
    })
    return await use(ledger)
  })
}

/** Finds the peer that a person means: its key, or its name where only one owner has one of that name. */
export function findPeer(ledger: TrustLedger, text: string): string {
  const found = ledger.peers().filter((peer) => peer === text || peer.endsWith(` ${text}`))
  const [peer] = found
  if (peer !== undefined && found.length === 1) return peer
  throw new MeshError(
    'cli.usage',
    found.length === 0
      ? `the ledger holds no evidence about ${text}; \`parley trust show\` lists whom it knows`
      : `several owners have a ${text}; give one of ${found.map((one) => `'${one}'`).join(', ')}`,
  )
}

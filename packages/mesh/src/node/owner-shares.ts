import type { Did } from '@parley/protocol'

/**
 * What each owner takes of something that is bounded. Where room has to be made, who has most makes it: so an owner with any
 * number of names pushes out only its own. There are no more owners than anchors.
 */
export interface OwnerShares {
  add(owner: Did, amount: number): void
  take(owner: Did, amount: number): void
  /** The owner that has most; undefined while nobody has anything. */
  crowded(): Did | undefined
  /** What all of them have. */
  total(): number
}

/** Creates shares of nothing. Amounts are whole numbers above 0. */
export function createOwnerShares(): OwnerShares {
  const shares = new Map<Did, number>()
  let total = 0
  const add = (owner: Did, amount: number): void => {
    total += amount
    const share = (shares.get(owner) ?? 0) + amount
    if (share > 0) shares.set(owner, share)
    else shares.delete(owner)
  }
  return {
    add,
    take(owner, amount) {
      add(owner, -amount)
    },
    crowded() {
      let most: readonly [Did, number] | undefined
      for (const share of shares) if (!most || share[1] > most[1]) most = share
      return most?.[0]
    },
    total: () => total,
  }
}

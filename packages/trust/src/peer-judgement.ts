import { spreadBlame } from './contagion.ts'
import { earnedCeiling } from './earned-ceiling.ts'
import type { LedgerFold } from './ledger-fold.ts'
import { weighWords, type Judged, type Word } from './hearsay.ts'
import type { OrdersAbout, OwnerWord } from './owner-word.ts'
import { hearsayPrefix } from './peer-book.ts'
import type { StandingPlace } from './standing-chain.ts'
import { cell, earnedCeilingOf, read, readWhole, scoreOf } from './standing.ts'
import { tierAt, tierIndexAfter, tierIndexOf, tierOf, lowerTier, type Tier } from './tier.ts'
import { isScore, type TrustModel } from './trust-model.ts'

/** A peer's trust at this moment. */
export interface TrustView {
  readonly score: number
  readonly tier: Tier
  readonly evidenceCount: number
}

/** What a judgement looks at. */
export interface Bench {
  readonly fold: LedgerFold
  readonly model: TrustModel
  /** Where a peer starts that no evidence was seen of. */
  readonly startOf: (peer: string) => number
  /** For whose doings a peer answers; absent where blame does not spread. */
  readonly answersFor: ((peer: string) => readonly string[]) | undefined
  readonly ordersAbout: OrdersAbout | undefined
}

/** What a peer is judged for. */
export interface JudgedFor {
  readonly ceiling?: number
  readonly capability?: string
}

/**
 * Judges a peer: an operator's pin first, then one that its owner ordered, else evidence after idle time, what others say,
 * and blame; all under every ceiling. An owner's word is no record: it lifts its name no higher than the record would.
 */
export function judgePeer(
  bench: Bench,
  peer: string,
  nowMs: number,
  { ceiling = 1000, capability }: JudgedFor,
  handle: number | undefined = bench.fold.book.find(peer),
): TrustView {
  const { notes, book } = bench.fold
  const limit = isScore(ceiling) ? ceiling : 0
  if (handle !== undefined && capability === undefined && limit === 1000 && isOwnEvidence(bench, peer, nowMs))
    return judgeOverall(bench, handle, nowMs)
  const overall = handle === undefined ? undefined : book.overall(handle)
  const apart = handle === undefined || capability === undefined ? undefined : book.ofCapability(handle, capability)
  const standing = apart ?? overall
  const pin = notes.isEmpty() ? undefined : notes.pinOf(peer, nowMs)
  if (pin !== undefined) return viewUnder(limit, { score: pin.score, tier: tierIndexOf(pin.score) }, standing)
  const ordered = bench.ordersAbout?.(peer, nowMs)?.pin
  if (ordered !== undefined) return viewUnder(limit, judgeOrdered(bench, ordered, standing), standing)
  return viewUnder(limit, judgeEvidence(bench, peer, handle, standing, nowMs), standing)
}

/** Whether nothing counts beside what this node saw: so it mostly is, twice for every piece of evidence. */
function isOwnEvidence({ fold, answersFor, ordersAbout }: Bench, peer: string, nowMs: number): boolean {
  if (answersFor !== undefined || fold.window !== undefined || !fold.notes.isEmpty()) return false
  return ordersAbout?.(peer, nowMs)?.pin === undefined
}

function judgeOverall(bench: Bench, handle: number, nowMs: number): TrustView {
  const { cells, at } = bench.fold.book.overall(handle)
  const score = scoreAfterRest(bench, cells, at, nowMs)
  const tier = tierIndexAfter(readWhole(cells, at + cell.tier), score)
  return { score, tier: tierAt(tier), evidenceCount: readWhole(cells, at + cell.evidenceCount) }
}

function viewUnder(limit: number, { score, tier }: Judged, standing: StandingPlace | undefined): TrustView {
  return {
    score: Math.min(limit, score),
    tier: limit === 1000 ? tierAt(tier) : lowerTier(tierAt(tier), tierOf(limit)),
    evidenceCount: standing === undefined ? 0 : readWhole(standing.cells, standing.at + cell.evidenceCount),
  }
}

/** Judges a standing by its own evidence alone. */
export function judgeStanding(
  bench: Pick<Bench, 'model' | 'fold'>,
  { cells, at }: StandingPlace,
  nowMs: number,
): Judged {
  const score = scoreAfterRest(bench, cells, at, nowMs)
  return { score, tier: tierIndexAfter(readWhole(cells, at + cell.tier), score) }
}

function scoreAfterRest(
  { model, fold }: Pick<Bench, 'model' | 'fold'>,
  cells: Float64Array,
  at: number,
  nowMs: number,
): number {
  const atMs = read(cells, at + cell.atMs)
  const folded = read(cells, at + cell.score)
  // Idle time takes nothing from what is at or below the floor, which is most of what is judged.
  if (nowMs <= atMs || folded < model.idleDecay.floor) return folded
  return scoreOf(model, cells, at, fold.runs.between(atMs, nowMs))
}

/** Lists who has a word about a peer: their own trust has to be known for it to count. */
export function listRaters({ fold }: Pick<Bench, 'fold'>, peer: string, nowMs: number): readonly string[] {
  const handle = fold.window === undefined ? undefined : fold.book.find(peer)
  const told = handle === undefined ? [] : fold.book.standings(handle).map(({ name }) => name)
  return [
    ...told.flatMap((name) => (name.startsWith(hearsayPrefix) ? [name.slice(hearsayPrefix.length)] : [])),
    ...fold.notes.attestationsOf(peer, nowMs).map(({ rater }) => rater),
  ]
}

function judgeOrdered(
  { model }: Bench,
  pin: NonNullable<OwnerWord['pin']>,
  standing: StandingPlace | undefined,
): Judged {
  const earned = standing ? earnedCeilingOf(model, standing.cells, standing.at) : earnedCeiling(model.earnedSteps, 0, 0)
  const score = Math.min(pin.score, earned)
  return { score, tier: tierIndexOf(score) }
}

function judgeEvidence(
  bench: Bench,
  peer: string,
  handle: number | undefined,
  standing: StandingPlace | undefined,
  nowMs: number,
): Judged {
  const { model, startOf, answersFor } = bench
  const start = standing === undefined ? startOf(peer) : 0
  let judged =
    standing === undefined ? { score: start, tier: tierIndexOf(start) } : judgeStanding(bench, standing, nowMs)
  const words = listWords(bench, peer, handle, nowMs)
  if (words.length > 0) {
    const earned = standing === undefined ? 0 : earnedCeilingOf(model, standing.cells, standing.at)
    judged = weighWords(peer, judged, words, earned)
  }
  if (answersFor === undefined) return judged
  const blame = spreadBlame(peer, answersFor, (other) => ownJudgement(bench, other, nowMs)?.score ?? startOf(other))
  const score = Math.max(0, judged.score - Math.max(0, blame))
  return { score, tier: tierIndexAfter(judged.tier, score) }
}

/** What others say of a peer, each weighed by what their own evidence made of them here: trust is not transitive. */
function listWords(bench: Bench, peer: string, handle: number | undefined, nowMs: number): readonly Word[] {
  const { fold } = bench
  const isShared = fold.window !== undefined
  if (fold.notes.isEmpty() && !isShared) return []
  const said = new Map<string, number>()
  if (isShared && handle !== undefined)
    for (const standing of fold.book.standings(handle))
      if (standing.name.startsWith(hearsayPrefix))
        said.set(standing.name.slice(hearsayPrefix.length), judgeStanding(bench, standing, nowMs).score)
  for (const { rater, score } of fold.notes.attestationsOf(peer, nowMs)) said.set(rater, score)
  return [...said].map(([rater, score]) => ({
    rater,
    score,
    // Whoever is not in memory has no word; raters are brought in with the peer.
    tier: tierAt(ownJudgement(bench, rater, nowMs)?.tier ?? tierIndexOf(0)),
  }))
}

function ownJudgement(bench: Bench, peer: string, nowMs: number): Judged | undefined {
  const { book } = bench.fold
  const handle = book.find(peer)
  return handle === undefined ? undefined : judgeStanding(bench, book.overall(handle), nowMs)
}

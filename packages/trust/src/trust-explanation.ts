import { formatTime } from '@parley/protocol'
import { dimensionNames, mapDimensions, type Dimensions } from './dimensions.ts'
import type { OwnerWord } from './owner-word.ts'
import { hearsayPrefix } from './peer-book.ts'
import type { PageMovement } from './peer-page.ts'
import { judgePeer, judgeStanding, type Bench, type TrustView } from './peer-judgement.ts'
import { nameSightKind } from './sight.ts'
import type { StandingPlace } from './standing-chain.ts'
import { cell, earnedCeilingOf, read, weigh } from './standing.ts'
import { tierBars } from './tier.ts'
import type { TrustModel } from './trust-model.ts'
import type { Attestation, Quarantine, TrustPin } from './trust-note.ts'

/** One change of a peer's overall score. */
export interface TrustMovement {
  readonly atMs: number
  /** Who saw it, and under which of its own counts. */
  readonly rater: string
  readonly seq: number
  readonly what: string
  readonly before: number
  readonly after: number
}

/** Why a peer has its score. */
export interface TrustExplanation extends TrustView {
  readonly model: string
  readonly dimensions: Dimensions
  /** The scores of capabilities that are scored apart. */
  readonly capabilities: Readonly<Record<string, number>>
  /** The newest changes of the overall score, oldest first. */
  readonly moved: readonly TrustMovement[]
  readonly pin: TrustPin | undefined
  readonly quarantine: Quarantine | undefined
  /** What its owner ordered about it. */
  readonly ordered: OwnerWord | undefined
  readonly attestations: readonly Attestation[]
  /** What would raise the score, most effective first. */
  readonly raise: readonly string[]
}

/** Explains the trust in a peer. */
export function explainPeer(bench: Bench, peer: string, nowMs: number): TrustExplanation {
  const { fold, model } = bench
  const { book, notes } = fold
  const handle = book.find(peer)
  const standings = handle === undefined ? [] : book.standings(handle)
  const [overall, ...others] = standings
  const pin = notes.pinOf(peer, nowMs)
  const quarantine = notes.quarantineOf(peer, nowMs)
  const ordered = bench.ordersAbout?.(peer, nowMs)
  const start = bench.startOf(peer)
  const seen = overall && handle !== undefined && !book.isFresh(handle) ? overall : undefined
  const earned = seen ? judgeStanding(bench, seen, nowMs).score : start
  const advice = seen ? adviseRaise(model, seen, earned) : adviseNewcomer(start)
  return {
    ...judgePeer(bench, peer, nowMs, {}),
    model: model.hash,
    dimensions: mapDimensions((_, index) => (overall ? read(overall.cells, overall.at + index) : start / 10)),
    capabilities: Object.fromEntries(
      others
        .filter(({ name }) => !name.startsWith(hearsayPrefix))
        .map((standing) => [standing.name, judgeStanding(bench, standing, nowMs).score]),
    ),
    moved: handle === undefined ? [] : book.page(peer, handle).moved.map(tellMovement),
    pin,
    quarantine,
    ordered,
    attestations: notes.attestationsOf(peer, nowMs),
    raise: [
      ...adviseHeld({ pin, quarantine, ordered }),
      // Points are counted from what the record says, which is not the score that a pin shows.
      ...(pin || ordered?.pin ? advice.map((each) => `after the pin, from ${String(earned)}: ${each}`) : advice),
    ],
  }
}

/** Puts a change into words. */
function tellMovement({ atMs, rater, seq, before, after, kind, faults, capability }: PageMovement): TrustMovement {
  const where = capability === '' ? '' : ` of ${capability}`
  const incident = faults > 0 ? `, an incident: ${String(faults)} faults in a row` : ''
  return { atMs, rater, seq, before, after, what: `${nameSightKind(kind)}${where}${incident}` }
}

type Ending = Pick<TrustPin, 'untilMs' | 'reason'>
type Held = Pick<TrustExplanation, 'pin' | 'quarantine' | 'ordered'>

/** What an operator or the owner decided holds until its end, whatever the evidence says. */
function adviseHeld({ pin, quarantine, ordered }: Held): readonly string[] {
  const apart = ({ untilMs, reason }: Ending): string =>
    `in quarantine until ${formatTime(untilMs)} (${reason}): refused until then, whatever its score`
  const pinned = ({ score, untilMs, reason }: Ending & Pick<TrustPin, 'score'>): string =>
    `pinned it at ${String(score)} until ${formatTime(untilMs)} (${reason}): no evidence moves it until then`
  return [
    ...(quarantine ? [`it is ${apart(quarantine)}`] : []),
    ...(pin ? [`an operator ${pinned(pin)}`] : []),
    ...(ordered?.quarantine ? [`its owner put it ${apart(ordered.quarantine)}`] : []),
    ...(ordered?.pin ? [`its owner ${pinned(ordered.pin)}`] : []),
  ]
}

function adviseRaise(model: TrustModel, standing: StandingPlace, score: number): readonly string[] {
  const { cells, at } = standing
  const ceiling = adviseCeiling(model, standing)
  const losses = dimensionNames
    .map((name, index) => ({
      name,
      points: Math.round((100 - read(cells, at + index)) * (model.weights[index] ?? 0) * 10),
    }))
    .filter(({ points }) => points > 0)
    .sort((left, right) => right.points - left.points)
  return [
    ...(ceiling === undefined ? [] : [ceiling]),
    ...adviseNewcomer(score),
    ...losses.map(({ name, points }) => `good outcomes in ${name} are worth up to ${String(points)} points`),
  ]
}

function adviseNewcomer(score: number): readonly string[] {
  const next = tierBars.findLast(({ bar }) => bar > score)
  return next === undefined ? [] : [`${String(next.bar - score)} points more reach the tier ${next.tier}`]
}

function adviseCeiling(model: TrustModel, { cells, at }: StandingPlace): string | undefined {
  const ceiling = earnedCeilingOf(model, cells, at)
  if (weigh(model, cells, at) <= ceiling) return undefined
  const step = model.earnedSteps.find((candidate) => candidate.ceiling === ceiling)
  if (step === undefined) return undefined
  const missing = step.verified - read(cells, at + cell.verified)
  return missing > 0
    ? `${String(missing)} more verified outcomes lift the ceiling of ${String(ceiling)}`
    : `verified outcomes over a longer time lift the ceiling of ${String(ceiling)}`
}

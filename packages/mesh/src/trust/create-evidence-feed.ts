import type { VerifiedCredential } from '@parley/identity'
import { allowed, formatAgentId, refuse, type InstanceDid, type Verdict } from '@parley/protocol'
import type { NodeParts } from '../node/node-parts.ts'
import { createSenderBuckets, type SenderBuckets } from '../session/sender-buckets.ts'
import type { EvidenceFeed } from './evidence-feed.ts'
import {
  decodeEvidenceQuestion,
  decodeEvidenceTelling,
  encodeEvidenceQuestion,
  encodeEvidenceTelling,
  evidenceAskedOf,
  evidenceToldTo,
  evidenceTopic,
  maxBatchBytes,
  type EvidenceTelling,
} from './evidence-message.ts'
import type { EvidenceScope } from './trust-options.ts'

/** Events with evidence, and questions, that one peer is heard with a second: a busy rater tells ten batches. */
const perSecond = 32
/** Batches in one answer; who needs more asks again. */
const batchesPerAnswer = 8
const bytesPerAnswer = 2_097_152
/** One peer is asked at most this often, unless it said that there is more. */
const askEveryMs = 250
/** Questions about one count that stay without an answer. */
const maxTries = 3
const maxPeers = 1_024

/** What is known of one instance that shares. */
interface Sharing {
  readonly bucket: SenderBuckets
  /** Batches that are being taken. */
  taking: number
  askedAtMs: number
  /** Batches of answers that may still come. */
  expected: number
  /** The stream that its card named, and how often was asked for what it has up to there. */
  stream: string
  upTo: number
  tries: number
}

/** Creates the feed of a node; without a scope it neither tells nor takes anything. */
export function createEvidenceFeed({
  parts,
  share,
  emit,
}: {
  readonly parts: Pick<NodeParts, 'clock' | 'did' | 'logger' | 'maxBodyBytes' | 'ownCredential' | 'rejected' | 'trust'>
  readonly share: EvidenceScope | undefined
  readonly emit: (topic: string, body: Uint8Array) => Promise<void>
}): EvidenceFeed {
  const { clock, did, logger, rejected, trust: ledger } = parts
  const maxBytes = maxBatchBytes(parts.maxBodyBytes)
  const peers = new Map<InstanceDid, Sharing>()

  const sharingOf = (instance: InstanceDid): Sharing => {
    const known = peers.get(instance)
    const sharing = known ?? {
      bucket: createSenderBuckets(clock, perSecond),
      taking: 0,
      askedAtMs: -Infinity,
      expected: 0,
      stream: '',
      upTo: 0,
      tries: 0,
    }
    peers.delete(instance)
    peers.set(instance, sharing)
    const [silent] = peers.keys()
    if (peers.size > maxPeers && silent !== undefined) peers.delete(silent)
    return sharing
  }
  const isOwn = ({ owner }: VerifiedCredential): boolean => owner === parts.ownCredential().owner
  const isWithin = (from: VerifiedCredential): boolean => share === 'mesh' || (share === 'owner' && isOwn(from))
  const ask = (instance: InstanceDid, sharing: Sharing): void => {
    if (sharing.stream === '') return
    sharing.askedAtMs = clock.monotonic()
    sharing.expected = batchesPerAnswer
    void emit(evidenceAskedOf(instance), encodeEvidenceQuestion(ledger.sharedUpTo(sharing.stream)))
  }
  const askSoon = (instance: InstanceDid, sharing: Sharing): void => {
    if (clock.monotonic() - sharing.askedAtMs >= askEveryMs) ask(instance, sharing)
  }

  const take = async (telling: EvidenceTelling, from: VerifiedCredential, isAnswer: boolean): Promise<Verdict> => {
    const sharing = sharingOf(from.instance)
    sharing.taking++
    const rater = formatAgentId(from)
    const verdict = await ledger
      .takeShared(telling.batch, { rater, did: from.instance, isOldest: isAnswer && telling.isOldest })
      .finally(() => sharing.taking--)
    if (isAnswer && telling.hasMore && sharing.taking === 0) ask(from.instance, sharing)
    if (verdict.kind === 'deny') {
      if (verdict.code === 'trust.evidence-gap') askSoon(from.instance, sharing)
      return verdict
    }
    sharing.tries = 0
    for (const [code, count] of verdict.refused) for (let at = 0; at < count; at++) rejected.count(code)
    return allowed
  }
  const answer = async ({ instance }: VerifiedCredential, body: Uint8Array): Promise<Verdict> => {
    const after = decodeEvidenceQuestion(body)
    if (!after || share === undefined) return refuse('iatp.header-invalid', 'the question for evidence is malformed')
    const range = await ledger.listShared(after, batchesPerAnswer, bytesPerAnswer)
    const last = range.batches.length - 1
    for (const [at, batch] of range.batches.entries()) {
      if (batch.length > maxBytes) continue
      const [isOldest, hasMore] = [range.isOldest && at === 0, range.hasMore && at === last]
      await emit(evidenceToldTo(instance), encodeEvidenceTelling({ scope: share, batch, isOldest, hasMore }))
    }
    return allowed
  }

  return {
    tell(batch) {
      if (share === undefined) return
      if (batch.length > maxBytes) logger.warn('trust.not-shared', { bytes: batch.length, maxBytes })
      else void emit(evidenceTopic, encodeEvidenceTelling({ scope: share, batch, isOldest: false, hasMore: false }))
    },
    receive(topic, body, from) {
      if (!isWithin(from)) return allowed
      const sharing = sharingOf(from.instance)
      const isAnswer = topic === evidenceToldTo(did)
      if (isAnswer && sharing.expected-- <= 0) return refuse('iatp.misaddressed', 'nobody asked for this evidence')
      if (!isAnswer && sharing.bucket.take(from.instance) > 0)
        return refuse('iatp.sender-limited', 'the sender tells or asks of evidence too often')
      if (topic === evidenceAskedOf(did)) return answer(from, body)
      const telling = decodeEvidenceTelling(body)
      if (!telling) return refuse('trust.evidence-invalid', 'it is no batch of evidence')
      if (telling.scope === 'owner' && !isOwn(from)) return allowed
      return take(telling, from, isAnswer)
    },
    heard(from, news) {
      if (!news || !isWithin(from)) return
      const sharing = sharingOf(from.instance)
      const isNews = news.upTo > sharing.upTo || news.stream !== sharing.stream
      sharing.stream = news.stream
      sharing.upTo = news.upTo
      if (isNews) sharing.tries = 0
      // What is under way mostly is what is missing.
      if (sharing.taking > 0 || sharing.tries >= maxTries || ledger.sharedUpTo(news.stream).seq >= news.upTo) return
      sharing.tries++
      askSoon(from.instance, sharing)
    },
    news: () => (share === undefined ? undefined : { stream: ledger.rater, upTo: ledger.sharedUpTo(ledger.rater).seq }),
    returned() {
      for (const sharing of peers.values()) {
        sharing.tries = 0
        sharing.askedAtMs = -Infinity
      }
    },
  }
}

import { createSeededRandom, systemHash, type Random } from '@parley/ports'
import {
  encodeFrame,
  formatEventSubject,
  formatInboxSubject,
  formatMailboxSubject,
  frameSignedBytes,
  hashEnvelopes,
  signingDomains,
  suites,
  type InstanceDid,
} from '@parley/protocol'
import type { KeySigner } from '@parley/identity'
import { drawIndex, drawOne, mutateBytes } from './byte-mutations.ts'
import type { FuzzReport } from './fuzz-report.ts'
import { mutateHeader, sampleJson } from './header-mutations.ts'
import { labSigner, openInboundLab, type InboundLab } from './inbound-lab.ts'
import { findGrowth, type Sample } from './growth.ts'
import { findSlowShapes } from './slow-shapes.ts'
import { openPeer, type FuzzPeer } from './fuzz-peer.ts'

/** What the fuzzer is told. */
export interface FuzzOptions {
  readonly frames: number
  readonly seed: number
  /** Told now and then how far it is. */
  readonly onProgress?: (frames: number) => void
  /** Frames of its own to begin with, for instance the vectors. */
  readonly corpus: readonly Uint8Array[]
  /** Whether memory and time are watched: only where nothing else runs in the process. */
  readonly watchesGrowth: boolean
}

/** Frames that are published before the node gets its turn. */
const batchFrames = 250
/** Enough for the buckets of all senders to fill up again, so that every frame comes as far as it can. */
const refillMs = 1_000
const batchesPerSample = 8
const batchesPerSession = 4
/** Sessions that a node keeps of one instance. */
const maxSessions = 8
const signedShare = 0.7
/** Stages that let pass only what is accepted: nothing of a fuzzer may get through one of them. */
const acceptingStages = ['admit', 'deliver', 'handshake', 'announced', 'settle']
const stageOrder = [
  'frame',
  'sender-limits',
  'proof',
  'header',
  'addressed',
  'session',
  'replay',
  'credential',
  'orders',
  'delegation',
  'trust',
  'body',
  'policy',
  'admit',
  'deliver',
  'cancel',
  'handshake',
  'settle',
  'announced',
  'mailbox',
  'responder',
  'outcome',
]

/**
 * Sends changed frames into a real node and counts how far they come. Seven of ten are signed again after the change: by a
 * stranger with a sound key and somebody else's credential, or by a peer with a live session whose requests name a contract
 * that the node does not have. So nothing that is sent may be accepted, whatever the change made of it.
 */
export async function fuzzFrames(options: FuzzOptions): Promise<FuzzReport> {
  const { frames, seed, corpus, onProgress } = options
  const random = createSeededRandom(seed)
  const startedMs = performance.now()
  await using lab = await openInboundLab(random.bytes(32))
  const peerSigner = labSigner(random)
  await lab.listen(peerSigner.did)
  let sound = 0
  const shake = async (): Promise<FuzzPeer> => {
    const passedBefore = lab.passed.get('handshake') ?? 0
    const opened = await openPeer(lab, random, peerSigner)
    sound += (lab.passed.get('handshake') ?? 0) - passedBefore
    return opened
  }
  let peer = await shake()
  const stranger = labSigner(random)
  const values = sampleJson(seed, 2_000)
  const problems: string[] = []
  const samples: Sample[] = []
  const crash = (error: unknown): void => {
    problems.push(`crash: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  let signedAgain = 0
  let batches = 0
  try {
    for (let sent = 0; sent < frames && problems.length === 0;) {
      // A changed counter may be far ahead, and everything after it a replay.
      if (batches > 0 && batches % batchesPerSession === 0) peer = await shake()
      const batchStartMs = performance.now()
      const size = Math.min(batchFrames, frames - sent)
      for (let at = 0; at < size; at++) {
        const isSigned = random.float() < signedShare
        if (isSigned) signedAgain += 1
        const { subject, bytes } = isSigned
          ? await signAgain(
              lab,
              random,
              random.float() < 0.5 ? peer : { signer: stranger, headers: peer.strangerHeaders },
              values,
            )
          : changeBytes(lab, random, peer, corpus)
        lab.publish(subject, bytes)
      }
      await lab.clock.advance(refillMs)
      lab.takeAnswers()
      sent += size
      batches += 1
      if (options.watchesGrowth && batches % batchesPerSample === 0)
        samples.push(sampleOf(lab, (performance.now() - batchStartMs) / size))
      onProgress?.(sent)
    }
  } finally {
    process.off('uncaughtException', crash)
    process.off('unhandledRejection', crash)
  }
  for (const stage of acceptingStages) {
    const accepted = (lab.passed.get(stage) ?? 0) - (stage === 'handshake' ? sound : 0)
    if (accepted > 0) problems.push(`the stage ${stage} let ${String(accepted)} envelopes pass`)
  }
  if (lab.handled() > 0) problems.push(`a handler ran ${String(lab.handled())} times`)
  if ((lab.refused.get('hop.stage-failed') ?? 0) > 0) problems.push('a stage threw')
  for (const [what, count] of Object.entries(lab.holdings()))
    if (count > (what === 'sessions' ? maxSessions : 0)) problems.push(`${String(count)} ${what} are left behind`)
  problems.push(...findGrowth(samples))
  if (options.watchesGrowth) problems.push(...findSlowShapes().map((shape) => `quadratic time: ${shape}`))
  const reached = stageOrder.flatMap((stage) => {
    const count = lab.reached.get(stage)
    return count === undefined ? [] : [[stage, count] as const]
  })
  const refused = [...lab.refused].toSorted(([, left], [, right]) => right - left)
  const secondsTaken = (performance.now() - startedMs) / 1_000
  return { frames, signedAgain, reached, refused, secondsTaken, problems }
}

interface Sent {
  readonly subject: string
  readonly bytes: Uint8Array
}

/** Changes headers and bodies and signs the result with a real key. */
async function signAgain(
  lab: InboundLab,
  random: Random,
  by: { readonly signer: KeySigner; readonly headers: FuzzPeer['headers'] },
  values: readonly unknown[],
): Promise<Sent> {
  const { signer } = by
  const count = random.float() < 0.9 ? 1 : 2 + drawIndex(random, 4)
  const envelopes = Array.from({ length: count }, () => ({
    header: mutateHeader(random, drawOne(random, by.headers)(lab.clock.now(), signer.did), values),
    body: Buffer.from(random.float() < 0.5 ? '{"text":"x"}' : JSON.stringify(drawOne(random, values))),
    salt: random.bytes(16),
  }))
  const suite = suites.ed25519Sha256
  const signedBytes = frameSignedBytes(systemHash, suite, hashEnvelopes(systemHash, envelopes))
  const bytes = encodeFrame(suite, await signer.sign(signingDomains.frame, signedBytes), envelopes)
  return { subject: drawSubject(lab, random, signer.did), bytes }
}

/** Changes a frame that was good, or is of the corpus, without signing it again; or draws bytes. */
function changeBytes(lab: InboundLab, random: Random, peer: FuzzPeer, corpus: readonly Uint8Array[]): Sent {
  const known = [...peer.frames, ...corpus]
  const kind = random.float()
  const bytes =
    kind < 0.1
      ? random.bytes(drawIndex(random, 512))
      : mutateBytes(random, drawOne(random, known), drawOne(random, known))
  return { subject: drawSubject(lab, random, peer.signer.did), bytes }
}

function drawSubject(lab: InboundLab, random: Random, from: InstanceDid): string {
  const kind = random.float()
  if (kind < 0.85) return formatInboxSubject('main', lab.instance, from)
  if (kind < 0.93) return formatMailboxSubject('main', lab.mailbox, from)
  return formatEventSubject('main', random.float() < 0.5 ? 'card' : 'who', from)
}

function sampleOf(lab: InboundLab, msPerFrame: number): Sample {
  globalThis.gc?.()
  return {
    heapBytes: process.memoryUsage().heapUsed,
    msPerFrame,
    held: Object.values(lab.holdings()).reduce((sum, count) => sum + count, 0),
  }
}

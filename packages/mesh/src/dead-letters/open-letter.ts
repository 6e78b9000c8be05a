import { verifySignature } from '@parley/identity'
import type { Hash } from '@parley/ports'
import { verifyEvidence } from '@parley/protocol'
import { describeDeadLetter, type DeadLetter } from './dead-letter.ts'
import type { OpenedDeadLetter } from './dead-letters.ts'

/** Reads the arguments of a letter's command, where its signature still holds and they are no secret. */
export function openLetter(hash: Hash, letter: DeadLetter): OpenedDeadLetter {
  const view = describeDeadLetter(letter)
  const verified = verifyEvidence(hash, Buffer.from(letter.evidence, 'base64url'), verifySignature)
  if (verified.kind === 'deny' || verified.verified.header.sealed === true || !verified.verified.body) return view
  try {
    return { ...view, input: JSON.parse(new TextDecoder().decode(verified.verified.body)) as unknown }
  } catch {
    return view
  }
}

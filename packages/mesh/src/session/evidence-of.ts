import type { Hash } from '@parley/ports'
import { createEvidence, encodeEvidence, type EvidenceFrame } from '@parley/protocol'

/**
 * Makes evidence of one envelope that came or left: bytes that prove by themselves who signed it, for `parley verify`. By
 * `withBody: false` they hold the commitment to the body instead of the body.
 */
export type EvidenceOf = (options?: { readonly withBody?: boolean }) => Uint8Array

/** The frame that an envelope came or left in, and its place there: what evidence of it is made of. */
export interface InFrame {
  readonly frame: EvidenceFrame
  readonly index: number
}

/** Binds evidence to its frame. The path is only computed when asked for; until then the frame's bytes are kept. */
export function evidenceOf(hash: Hash, { frame, index }: InFrame): EvidenceOf {
  return (options) => encodeEvidence(createEvidence(hash, frame, index, options))
}

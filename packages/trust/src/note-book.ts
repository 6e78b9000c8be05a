import type { Attestation, Quarantine, TrustNote, TrustPin } from './trust-note.ts'

/** The notes that are in force. */
export interface NoteBook {
  /** Whether there is anything but evidence to look at. */
  isEmpty(): boolean
  /** Why a note finds no room; undefined if it does. */
  refusal(note: TrustNote, nowMs: number): string | undefined
  take(note: TrustNote): void
  pinOf(peer: string, nowMs: number): TrustPin | undefined
  quarantineOf(peer: string, nowMs: number): Quarantine | undefined
  attestationsOf(peer: string, nowMs: number): readonly Attestation[]
  /** Everything that is in force, for keeping it. */
  list(nowMs: number): readonly TrustNote[]
}

const maxNotes = 10_000
const maxAttestationsPerPeer = 16

/** Creates an empty book: one pin, one quarantine a peer, and one attestation a rater and peer; a later one replaces it. */
export function createNoteBook(): NoteBook {
  const pins = new Map<string, TrustPin>()
  const quarantines = new Map<string, Quarantine>()
  const attestations = new Map<string, readonly Attestation[]>()
  let attestationCount = 0

  const attest = (note: Attestation): void => {
    const known = attestations.get(note.peer) ?? []
    const others = known.filter(({ rater }) => rater !== note.rater)
    attestations.set(note.peer, [...others, note])
    attestationCount += others.length + 1 - known.length
  }
  const forgetExpired = (nowMs: number): void => {
    for (const [peer, { untilMs }] of pins) if (untilMs <= nowMs) pins.delete(peer)
    for (const [peer, { untilMs }] of quarantines) if (untilMs <= nowMs) quarantines.delete(peer)
    for (const [peer, known] of attestations) {
      const valid = known.filter(({ expiresAtMs }) => expiresAtMs > nowMs)
      attestationCount += valid.length - known.length
      if (valid.length === 0) attestations.delete(peer)
      else attestations.set(peer, valid)
    }
  }
  return {
    isEmpty: () => pins.size === 0 && quarantines.size === 0 && attestations.size === 0,
    refusal(note, nowMs) {
      if (pins.size + quarantines.size + attestationCount >= maxNotes) forgetExpired(nowMs)
      if (pins.size + quarantines.size + attestationCount >= maxNotes)
        return `it holds ${String(maxNotes)} notes already`
      if (note.kind !== 'attestation') return undefined
      const others = (attestations.get(note.peer) ?? []).filter(
        ({ rater, expiresAtMs }) => rater !== note.rater && expiresAtMs > nowMs,
      )
      return others.length >= maxAttestationsPerPeer
        ? `${String(maxAttestationsPerPeer)} raters attest ${note.peer} already`
        : undefined
    },
    take(note) {
      if (note.kind === 'pin') pins.set(note.peer, note)
      else if (note.kind === 'quarantine') quarantines.set(note.peer, note)
      else attest(note)
    },
    pinOf(peer, nowMs) {
      const pin = pins.size === 0 ? undefined : pins.get(peer)
      return pin !== undefined && pin.untilMs > nowMs ? pin : undefined
    },
    quarantineOf(peer, nowMs) {
      const quarantine = quarantines.size === 0 ? undefined : quarantines.get(peer)
      return quarantine !== undefined && quarantine.untilMs > nowMs ? quarantine : undefined
    },
    attestationsOf(peer, nowMs) {
      if (attestations.size === 0) return []
      return (attestations.get(peer) ?? []).filter(({ expiresAtMs }) => expiresAtMs > nowMs)
    },
    list(nowMs) {
      forgetExpired(nowMs)
      return [...pins.values(), ...quarantines.values(), ...[...attestations.values()].flat()]
    },
  }
}

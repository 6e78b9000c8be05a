import { createHash } from 'node:crypto'
import { printVectors, receiver, sender } from './vector-kit.ts'

/** A subject, and what it says. */
export interface SubjectVector {
  readonly subject: string
  /** What it says; absent where it is no subject of IATP 1. */
  readonly facts?: {
    readonly mesh: string
    readonly kind: 'inbox' | 'event' | 'mailbox'
    readonly to: string
    readonly from: string
  }
}

/** Facts that no subject can be written of, since a token would be more than one. */
export interface UnwritableSubject {
  readonly mesh: string
  readonly to: string
}

const mailbox = createHash('sha256').update('did:key:zOwner acme/desk').digest('hex')
const [to, from] = [receiver.did.slice(8), sender.did.slice(8)]

/** Subjects as they come. */
export const subjectVectors: readonly SubjectVector[] = [
  { subject: `iatp.1.main.${to}.${from}`, facts: { mesh: 'main', kind: 'inbox', to: receiver.did, from: sender.did } },
  { subject: `iatp.1.t-7_x.event.card.${from}`, facts: { mesh: 't-7_x', kind: 'event', to: 'card', from: sender.did } },
  {
    subject: `iatp.1.main.mailbox.${mailbox}.${from}`,
    facts: { mesh: 'main', kind: 'mailbox', to: mailbox, from: sender.did },
  },
  { subject: `iatp.2.main.${to}.${from}` },
  { subject: `IATP.1.main.${to}.${from}` },
  { subject: `iatp.1.main.${to}` },
  { subject: `iatp.1..${to}.${from}` },
  { subject: `iatp.1.main.${to}.${from}.more` },
  { subject: `iatp.1.main.event.${from}` },
  { subject: `iatp.1.main.event.card.${from}.more` },
  { subject: `iatp.1.main.mailbox.${from}` },
  { subject: '' },
]

/** What a sender must refuse to write. */
export const unwritableSubjects: readonly UnwritableSubject[] = [
  { mesh: 'a.b', to: receiver.did },
  { mesh: '*', to: receiver.did },
  { mesh: 'main', to: 'did:key:>' },
  { mesh: 'main', to: 'did:key:z6 Mk' },
  { mesh: '', to: receiver.did },
]

/** Writes subjects.json. */
export function renderSubjectVectors(): string {
  return printVectors(
    'Subjects, what they say, and what none can be written of (transport.subject-invalid).',
    { from: sender.did },
    { subjects: subjectVectors, unwritable: unwritableSubjects },
  )
}

import { formatAgentId, type AgentId, type InstanceDid } from './did.ts'
import type { Sha256 } from './sha256.ts'
import { MeshError } from './mesh-error.ts'

/** What a subject says: which mesh, to whom (an instance, the topic of an event, or a mailbox), from whom. */
export interface SubjectFacts {
  readonly mesh: string
  readonly kind: 'inbox' | 'event' | 'mailbox'
  /** The recipient's DID, the topic, or the token of the mailbox. */
  readonly to: string
  readonly from: InstanceDid
}

const root = 'iatp.1'
const rootPrefix = `${root}.`
const eventBranch = 'event'
const mailboxBranch = 'mailbox'
const didPrefix = 'did:key:'
const tokenPattern = /^[A-Za-z0-9_-]+$/

function assertToken(token: string): string {
  if (!tokenPattern.test(token))
    throw new MeshError(
      'transport.subject-invalid',
      `${JSON.stringify(token)} cannot be part of a subject: use letters, digits, - and _`,
    )
  return token
}

function didToken(did: string): string {
  return assertToken(did.startsWith(didPrefix) ? did.slice(didPrefix.length) : did)
}

/** Formats `iatp.1.<mesh>.<to>.<from>`, where the DIDs are written without `did:key:`. Throws `transport.subject-invalid`. */
export function formatInboxSubject(mesh: string, to: InstanceDid, from: InstanceDid): string {
  return `${root}.${assertToken(mesh)}.${didToken(to)}.${didToken(from)}`
}

/** Formats the pattern of everything that is sent to one instance. */
export function formatInboxPattern(mesh: string, to: InstanceDid): string {
  return `${root}.${assertToken(mesh)}.${didToken(to)}.*`
}

/** Writes an instance's DID as the token that stands for it in subjects. Throws `transport.subject-invalid`. */
export function formatInstanceToken(instance: InstanceDid): string {
  return didToken(instance)
}

/**
 * Formats `iatp.1.<mesh>.<me>.<attempt>`: where the bus says that nobody listens to one thing that `me` sent. It lies in
 * one's own inbox, so nobody else may listen there; its last token is no instance, so nobody may publish there.
 */
export function formatBounceSubject(mesh: string, me: InstanceDid, attempt: string): string {
  return `${root}.${assertToken(mesh)}.${didToken(me)}.${assertToken(attempt)}`
}

/** Reads the attempt out of one's own bounce subject; undefined for any other subject. */
export function parseBounceSubject(mesh: string, me: InstanceDid, subject: string): string | undefined {
  const start = formatBounceSubject(mesh, me, '-').slice(0, -1)
  const attempt = subject.startsWith(start) ? subject.slice(start.length) : ''
  return tokenPattern.test(attempt) ? attempt : undefined
}

/** Makes the token of an agent's mailbox: SHA-256 of owner, a space and name, in lower-case hex. */
export function formatMailboxToken(hash: Sha256, agent: AgentId): string {
  return Buffer.from(hash(new TextEncoder().encode(formatAgentId(agent)))).toString('hex')
}

/** Formats `iatp.1.<mesh>.mailbox.<agent>.<from>`. Throws `transport.subject-invalid`. */
export function formatMailboxSubject(mesh: string, mailbox: string, from: InstanceDid): string {
  return `${root}.${assertToken(mesh)}.${mailboxBranch}.${assertToken(mailbox)}.${didToken(from)}`
}

/** Formats the pattern of a mailbox from all senders. */
export function formatMailboxPattern(mesh: string, mailbox: string): string {
  return `${root}.${assertToken(mesh)}.${mailboxBranch}.${assertToken(mailbox)}.*`
}

/** Formats `iatp.1.<mesh>.event.<topic>.<from>`. Throws `transport.subject-invalid`. */
export function formatEventSubject(mesh: string, topic: string, from: InstanceDid): string {
  return `${root}.${assertToken(mesh)}.${eventBranch}.${assertToken(topic)}.${didToken(from)}`
}

/** Formats the pattern of a topic from all senders. */
export function formatEventPattern(mesh: string, topic: string): string {
  return `${root}.${assertToken(mesh)}.${eventBranch}.${assertToken(topic)}.*`
}

/** Reads a subject; undefined for one that is not of IATP 1. Whoever floods a node has it read one for each frame. */
export function parseSubject(subject: string): SubjectFacts | undefined {
  if (!subject.startsWith(rootPrefix)) return undefined
  const meshEnd = subject.indexOf('.', rootPrefix.length)
  const branchEnd = subject.indexOf('.', meshEnd + 1)
  if (meshEnd <= rootPrefix.length || branchEnd <= meshEnd + 1) return undefined
  const mesh = subject.slice(rootPrefix.length, meshEnd)
  const branch = subject.slice(meshEnd + 1, branchEnd)
  const isNamed = branch === eventBranch || branch === mailboxBranch
  const thirdEnd = subject.indexOf('.', branchEnd + 1)
  const from = subject.slice((thirdEnd === -1 ? branchEnd : thirdEnd) + 1)
  if (from === '' || isNamed !== (thirdEnd !== -1)) return undefined
  if (!isNamed) return { mesh, kind: 'inbox', to: didPrefix + branch, from: (didPrefix + from) as InstanceDid }
  const to = subject.slice(branchEnd + 1, thirdEnd)
  if (to === '' || from.includes('.')) return undefined
  return { mesh, kind: branch, to, from: (didPrefix + from) as InstanceDid }
}

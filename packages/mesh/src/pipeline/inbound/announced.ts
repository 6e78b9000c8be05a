import type { VerifiedCredential } from '@parley/identity'
import { allowed, createCoverage, refuse, type InstanceDid, type Verdict } from '@parley/protocol'
import { decodeCard } from '../../discovery/agent-card.ts'
import {
  announcedTo,
  announcementTopics,
  contractsAskedOf,
  contractsToldTo,
  decodeAnnouncement,
  isAskedAlone,
} from '../../discovery/announcement.ts'
import { orderTopics } from '../../orders/order-message.ts'
import { evidenceAskedOf, evidenceToldTo, evidenceTopic } from '../../trust/evidence-message.ts'
import { verifyPresented } from '../../session/verify-presented.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/**
 * Takes an announcement into the directory, if an anchor of this node accepts who speaks. What its credential does not let
 * it serve is left out: it would only draw calls away from who may.
 */
export const announced: Stage<InboundHop> = {
  name: 'announced',
  run(hop) {
    const { parts } = hop
    const header = left(hop.header, 'the header')
    if (header.from === parts.did) return recogniseSelf(hop)
    if (parts.door && header.to === announcementTopics.who && header.credential === undefined) {
      // A newcomer that looks for its issuer; it learns what everybody hears every few seconds.
      parts.presence.announceSoon()
      return allowed
    }
    const verified = verifyPresented(parts, header)
    if (verified.kind === 'deny') return verified
    const { credential } = verified
    const ordered = parts.orders.check(credential)
    if (ordered.kind === 'deny') return ordered
    parts.sessions.renew(credential)
    if (header.to === orderTopics.told || header.to === orderTopics.wanted)
      return parts.orderFeed.receive(header.to, hop.envelope.body, header.from)
    if (isAboutEvidence(header.to, parts.did))
      return parts.evidenceFeed.receive(header.to, hop.envelope.body, credential)
    if (header.to === announcementTopics.who) {
      if (isAskedAlone(hop.envelope.body)) parts.presence.answer(header.from)
      else parts.presence.announceSoon()
      return allowed
    }
    if (header.to === contractsAskedOf(parts.did)) {
      parts.cards.answer(header.from)
      return allowed
    }
    if (header.to === contractsToldTo(parts.did)) return takeCard(hop, credential)
    if (header.to !== announcementTopics.card && header.to !== announcedTo(parts.did))
      return refuse('iatp.misaddressed', 'nobody listens to this topic')
    const announcement = decodeAnnouncement(hop.envelope.body)
    if (!announcement) return refuse('iatp.header-invalid', 'the announcement is malformed')
    if (announcement.leaving) parts.directory.leave(header.from)
    else {
      parts.orderFeed.heard(header.from, credential.owner, announcement.orders ?? {})
      parts.evidenceFeed.heard(credential, announcement.evidence)
      const isGranted = createCoverage(credential.serves)
      const serves = new Map(Object.entries(announcement.serves).filter(([capability]) => isGranted(capability)))
      parts.directory.announce({ credential, serves, boot: announcement.boot, announcedAtMs: header.issuedAtMs })
    }
    return allowed
  },
}

function isAboutEvidence(topic: string, self: InstanceDid): boolean {
  return topic === evidenceTopic || topic === evidenceAskedOf(self) || topic === evidenceToldTo(self)
}

function takeCard({ parts, envelope }: InboundHop, { instance, serves }: VerifiedCredential): Verdict {
  if (!parts.cards.isAsked(instance)) return refuse('iatp.misaddressed', 'nobody asked for this card')
  const told = decodeCard(envelope.body)
  if (!told) return refuse('iatp.header-invalid', 'the card is malformed')
  const isGranted = createCoverage(serves)
  const granted = {
    ...told,
    capabilities: told.capabilities.filter(({ capability }) => isGranted(capability)),
    events: told.events.filter(({ event }) => isGranted(event)),
  }
  parts.cards.take(instance, granted)
  return allowed
}

/**
 * A node hears itself; with another boot id it hears a second process that holds its key. What was said before this start may
 * be a copy of its own last life: a second process says it again.
 */
function recogniseSelf({ parts, header, envelope }: InboundHop): Verdict {
  if (header?.to !== announcementTopics.card || header.issuedAtMs < parts.startedAtMs) return allowed
  const announcement = decodeAnnouncement(envelope.body)
  if (announcement && announcement.boot !== parts.boot) parts.conflict()
  return allowed
}

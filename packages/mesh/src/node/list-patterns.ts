import { formatEventPattern, formatInboxPattern, formatMailboxPattern } from '@parley/protocol'
import { announcedTo, announcementTopics, contractsAskedOf, contractsToldTo } from '../discovery/announcement.ts'
import type { NodeParts } from './node-parts.ts'
import { orderTopics } from '../orders/order-message.ts'
import { evidenceAskedOf, evidenceToldTo, evidenceTopic } from '../trust/evidence-message.ts'

/** Lists all that a node subscribes to: its inbox, what discovery, orders and shared evidence need, and what it listens to. */
export function listPatterns({
  mesh,
  did,
  listening,
  mailbox,
  outcomeListeners,
  evidenceFeed,
}: NodeParts): readonly string[] {
  const topics = [
    announcementTopics.card,
    announcedTo(did),
    announcementTopics.who,
    orderTopics.told,
    orderTopics.wanted,
    contractsAskedOf(did),
    contractsToldTo(did),
    ...(evidenceFeed.news() ? [evidenceTopic, evidenceAskedOf(did), evidenceToldTo(did)] : []),
    ...listening.keys(),
  ]
  return [
    formatInboxPattern(mesh, did),
    ...topics.map((topic) => formatEventPattern(mesh, topic)),
    ...(mailbox !== undefined && outcomeListeners.length > 0 ? [formatMailboxPattern(mesh, mailbox)] : []),
  ]
}

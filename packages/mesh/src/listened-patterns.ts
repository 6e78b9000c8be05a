import { formatEventPattern, formatInboxPattern, type InstanceDid } from '@parley/protocol'
import { announcementTopics, contractsAskedOf, contractsToldTo } from './announcement.ts'
import { orderTopics } from './order-message.ts'

/** Lists what a node subscribes to: its inbox, and the events that it takes part in. */
export function listListenedPatterns(mesh: string, instance: InstanceDid, topics: Iterable<string>): readonly string[] {
  const events = [
    announcementTopics.card,
    announcementTopics.who,
    orderTopics.told,
    orderTopics.wanted,
    contractsAskedOf(instance),
    contractsToldTo(instance),
    ...topics,
  ]
  return [formatInboxPattern(mesh, instance), ...events.map((topic) => formatEventPattern(mesh, topic))]
}

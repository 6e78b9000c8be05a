import { MeshError } from '@parley/protocol'
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream'
import { hasBrokerFeature } from './broker-features.ts'

/** What a stream of a store is for. */
export type StreamRole = 'journal' | 'keyValue'

/** Where one part of a store lives on a broker. */
export interface StreamLayout {
  readonly role: StreamRole
  /** The name of the JetStream stream. */
  readonly stream: string
  /** What all subjects of it start with, without the dot. */
  readonly root: string
}

/** Values of a key that are kept, so that a write whose answer was lost is found though others wrote after it. */
export const keyHistory = 8

const storeNamePattern = /^[A-Za-z0-9_-]{1,64}$/

/**
 * Lays out a store: journals in a stream of their own, keys in one that any NATS tool reads as a key/value bucket (ADR-8
 * of NATS). Throws `store.name-invalid` for a store name that cannot be part of a subject.
 */
export function layOutStore(name: string): { readonly journal: StreamLayout; readonly keyValue: StreamLayout } {
  if (!storeNamePattern.test(name))
    throw new MeshError(
      'store.name-invalid',
      `"${name.slice(0, 80)}" cannot name a store: use 1 to 64 of A-Z a-z 0-9 _ -`,
    )
  return {
    journal: { role: 'journal', stream: `${name}_journal`, root: `parley.journal.${name}` },
    keyValue: { role: 'keyValue', stream: `KV_${name}`, root: `$KV.${name}` },
  }
}

/** What an operator decides about the streams of a store. */
export interface StreamChoices {
  readonly replicas: number
  /** A full stream refuses writes; -1 for as much as the account may have. */
  readonly maxBytes: number
}

/** Writes the configuration of a stream that loses nothing, as far as this broker understands it. */
export function configureStream(
  { role, stream, root }: StreamLayout,
  { replicas, maxBytes }: StreamChoices,
  version: string,
): Partial<StreamConfig> & { readonly name: string } {
  return {
    name: stream,
    subjects: [`${root}.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // A full stream refuses: dropping the oldest would drop the beginning of a journal.
    discard: DiscardPolicy.New,
    max_bytes: maxBytes,
    max_msgs_per_subject: role === 'journal' ? -1 : keyHistory,
    num_replicas: replicas,
    deny_delete: true,
    // A deletion replaces the values of its key, and what compacts a journal all that came before in it.
    allow_rollup_hdrs: true,
    allow_direct: false,
    ...(hasBrokerFeature(version, 'stream-metadata') ? { metadata: { 'parley.store': role } } : {}),
    ...(role === 'keyValue' && hasBrokerFeature(version, 'message-expiry') ? { allow_msg_ttl: true } : {}),
  }
}

/** Lists how a stream would lose or change what it acknowledged, or let others do so, a sentence each. */
export function listStreamHazards(
  config: Readonly<Partial<StreamConfig>>,
  { role, root }: StreamLayout,
  { replicas }: Pick<StreamChoices, 'replicas'>,
): readonly string[] {
  const isJournal = role === 'journal'
  const drops = config.discard !== DiscardPolicy.New
  const hazards: readonly (readonly [boolean, string])[] = [
    [config.subjects?.includes(`${root}.>`) !== true, `its subjects lack ${root}.>`],
    [config.storage !== StorageType.File, 'storage is in memory'],
    [config.retention !== RetentionPolicy.Limits, `retention ${String(config.retention)} removes what was read`],
    [isLimited(config.max_age), 'max_age removes what is old'],
    [isLimited(config.max_msgs) && drops, 'max_msgs with discard old removes the oldest'],
    [isLimited(config.max_bytes) && drops, 'max_bytes with discard old removes the oldest'],
    [isJournal && isLimited(config.max_msgs_per_subject), 'max_msgs_per_subject cuts journals'],
    [String(config.persist_mode ?? 'default') !== 'default', 'persist_mode async acknowledges before it writes (T24)'],
    [(config.num_replicas ?? 1) < replicas, `it has ${String(config.num_replicas)} replicas instead of ${replicas}`],
    [config.no_ack === true, 'no_ack leaves every write unknown'],
    [config.sealed === true, 'it is sealed'],
    [config.mirror !== undefined || (config.sources ?? []).length > 0, 'it takes messages of other streams'],
    [config.subject_transform !== undefined, 'subject_transform files messages under other subjects'],
    [config.republish !== undefined, 'republish hands its messages to others'],
    [isJournal && config.allow_rollup_hdrs !== true, 'without allow_rollup_hdrs no journal can be compacted'],
    [!isJournal && config.allow_rollup_hdrs !== true, 'without allow_rollup_hdrs a deleted key may come back'],
    [isJournal && config.allow_msg_ttl === true, 'allow_msg_ttl lets a message of a journal expire'],
    [Reflect.get(config, 'allow_msg_counter') === true, 'allow_msg_counter changes what is written'],
  ]
  return hazards.filter(([applies]) => applies).map(([, sentence]) => sentence)
}

function isLimited(limit: number | undefined): boolean {
  return limit !== undefined && limit > 0
}

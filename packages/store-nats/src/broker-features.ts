import { MeshError } from '@parley/protocol'

/** One row of the table. */
export type BrokerFeature = 'sync-always' | 'stream-metadata' | 'message-expiry' | 'safe-replicas' | 'persist-mode'

/** What a store asks of a broker beyond compare-and-append, with the version that brought it and what lacking it means. */
export const brokerFeatures: Readonly<Record<BrokerFeature, { readonly since: string; readonly lack: string }>> = {
  'sync-always': {
    since: '2.10.0',
    lack: 'it cannot sync each write (sync_interval: always): an acknowledged write can be lost when its machine crashes',
  },
  'stream-metadata': { since: '2.10.0', lack: 'streams carry no mark of who made them' },
  'message-expiry': { since: '2.11.0', lack: 'the marks of deleted keys stay for ever' },
  'safe-replicas': {
    since: '2.11.0',
    lack: 'a replicated stream can vanish or refuse retries after its servers were killed (nats-server #6888, #6415)',
  },
  'persist-mode': { since: '2.12.0', lack: 'streams have no persist_mode, so none can be asynchronous' },
}

/** Older ones ignore headers that a store relies on. */
export const oldestBroker = '2.9.0'

/** Tells whether a broker of this version has a feature. A pre-release counts as the release before it. */
export function hasBrokerFeature(version: string, feature: BrokerFeature): boolean {
  return isAtLeast(version, brokerFeatures[feature].since)
}

/** Lists what a broker of this version lacks, a sentence each. */
export function listBrokerLacks(version: string): readonly string[] {
  return (Object.keys(brokerFeatures) as readonly BrokerFeature[])
    .filter((feature) => !hasBrokerFeature(version, feature))
    .map(
      (feature) => `nats-server ${version}: ${brokerFeatures[feature].lack} (needs ${brokerFeatures[feature].since})`,
    )
}

/** Refuses a broker that cannot keep what a store promises, with `store.unsafe-config`. */
export function assertBrokerFit(version: string, replicas: number): void {
  if (!isAtLeast(version, oldestBroker))
    throw new MeshError('store.unsafe-config', `nats-server ${version} is too old for a store; use 2.11.0 or later.`)
  if (replicas > 1 && !hasBrokerFeature(version, 'safe-replicas'))
    throw new MeshError(
      'store.unsafe-config',
      `nats-server ${version}: ${brokerFeatures['safe-replicas'].lack}; use 2.11.0 or later, or one replica.`,
    )
}

function isAtLeast(version: string, since: string): boolean {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(-)?/.exec(version)
  if (!match) return false
  const wanted = since.split('.').map(Number)
  for (const [index, want] of wanted.entries()) {
    const have = Number(match[index + 1])
    if (have !== want) return have > want
  }
  return match[4] === undefined
}

/** The first version that can sync every JetStream write to disk before it is acknowledged (`sync_interval: always`). */
const syncAlwaysSince = '2.10.0'

/** The first version that expires single keys of a key/value bucket. */
const keyExpirySince = '2.11.0'

/** Reads the version out of what `nats-server --version` prints, for instance `nats-server: v2.10.27`. */
export function parseVersion(text: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+)\b/.exec(text)?.[1]
}

/** Orders two versions such as `2.10.27` by number: negative if `left` is older, 0 if equal, positive if newer. */
export function compareVersions(left: string, right: string): number {
  const leftParts = left.split('.').map(Number)
  const rightParts = right.split('.').map(Number)
  for (let index = 0; index < 3; index++) {
    const difference = (leftParts[index] ?? 0) - (rightParts[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Tells whether JetStream of this version can be told to sync each write before it acknowledges it. */
export function supportsSyncAlways(version: string): boolean {
  return compareVersions(version, syncAlwaysSince) >= 0
}

/** Names what an operator loses with this version, one sentence each; empty for a version with everything. */
export function describeLosses(version: string): readonly string[] {
  const losses: string[] = []
  if (!supportsSyncAlways(version))
    losses.push(
      `nats-server ${version} cannot sync each JetStream write (sync_interval: always needs ${syncAlwaysSince}): an acknowledged write can be lost when the machine crashes.`,
    )
  if (compareVersions(version, keyExpirySince) < 0)
    losses.push(`nats-server ${version} does not expire single keys (needs ${keyExpirySince}).`)
  return losses
}

import { readBrokerSync } from '@parley/store-nats'
import { failed, type Finding } from './finding.ts'

/** Checks whether a broker syncs each JetStream write before it acknowledges it. */
export async function checkSync(monitorUrl: string): Promise<Finding> {
  const check = 'broker sync'
  try {
    const { server, always, intervalMs } = await readBrokerSync(monitorUrl)
    if (always)
      return { check, level: 'ok', text: `${server}: sync_interval: always, an acknowledged write is on disk` }
    const interval = intervalMs === undefined ? 'not told' : `${String(intervalMs / 1_000)} s`
    return {
      check,
      level: 'warn',
      text: `${server}: sync_interval: ${interval}, an acknowledged write may be lost when its machine crashes`,
      todo: 'Set sync_interval: always in its jetstream block, if a store lives there.',
    }
  } catch (error) {
    return failed(check, error)
  }
}

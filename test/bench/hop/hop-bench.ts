import { join } from 'node:path'
import { findNatsServer, startNatsServer } from '@parley/nats-server'
import type { Bench } from '../bench.ts'
import { compareLoad } from '../compare-load.ts'
import type { Contestant } from '../contestant.ts'
import { decideHopTargets } from './hop-targets.ts'
import { startPairContestant } from './pair-contestant.ts'
import { createParleyMesh } from './parley-mesh.ts'
import type { ParleySetting } from './parley-setting.ts'

const natsScripts = { caller: 'nats-caller.ts', responder: 'nats-responder.ts' }
const moleculerScripts = { caller: 'moleculer-caller.ts', responder: 'moleculer-responder.ts' }
const parleyScripts = { caller: 'parley-caller.ts', responder: 'parley-responder.ts' }

/** A whole hop against an unsigned request of the NATS client, in two processes over a real server. */
export const hopBench: Bench = {
  name: 'hop',
  about:
    'call and reply between two processes over nats-server on loopback, 400-byte bodies compared by the caller: ' +
    'Parley with everything on (signed both ways, session, chain of depth 2 by hash, 100 policy rules at both sides, ' +
    'trust updated, audit into a SQLite file with commits at most 50 ms apart, 60 s of run in all) against request() of the NATS client ' +
    'and Moleculer over NATS (none of that)',
  libraries: ['@nats-io/transport-node', 'moleculer', 'nats'],
  // Five rounds at four loads: a minute for each contestant.
  defaultRounds: 5,
  defaultSeconds: 3,
  inFlight: [1, 16, 64, 256],
  async run(options) {
    const binary = await findNatsServer({
      env: process.env,
      cacheDir: join(import.meta.dirname, '../../../.parley/cache'),
      log: options.log,
    })
    await using server = await startNatsServer({ binary })
    await using mesh = await createParleyMesh()
    await using stack = new AsyncDisposableStack()
    const parley = async (name: string, setting: ParleySetting): Promise<Contestant> =>
      stack.use(await startPairContestant(name, parleyScripts, [server.url, mesh.dir, setting]))
    const contestants = [
      await parley('parley', 'everything'),
      stack.use(await startPairContestant('nats request', natsScripts, [server.url])),
      stack.use(await startPairContestant('moleculer', moleculerScripts, [server.url])),
      await parley('parley, one envelope a signature', 'one-a-signature'),
      await parley('parley, confidential bodies', 'sealed-bodies'),
      await parley('parley, 10 ms signer', 'remote-signer'),
    ].filter(({ name }) => options.only.length === 0 || options.only.includes(name))
    const rows = await compareLoad(contestants, options.inFlight, options)
    return {
      rows: rows.map((row) => ({ ...row, natsServer: binary.version })),
      targets: decideHopTargets(rows),
    }
  },
}

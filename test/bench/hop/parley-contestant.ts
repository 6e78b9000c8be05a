import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initFileIssuer, openFileIssuer } from '@parley/identity'
import { createNode } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import type { Contestant } from '../contestant.ts'
import { startResponder } from '../responder.ts'
import { bodyText } from './body.ts'
import { echo } from './echo-contract.ts'

/** Starts two nodes of one owner, with every stage of the hop on and both logs in SQLite files. */
export async function startParleyContestant(url: string): Promise<Contestant> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  const ports = { clock: createSystemClock(), random: createSystemRandom() }
  const issuerDir = join(dir, 'issuer')
  await initFileIssuer({ dir: issuerDir, alias: 'bench', ...ports })
  const responder = await startResponder(join(import.meta.dirname, 'parley-responder.ts'), [url, dir])
  const node = await createNode({
    name: 'bench/caller',
    issuer: await openFileIssuer({ dir: issuerDir, ...ports }),
    calls: [echo.say],
    nats: url,
    data: join(dir, 'caller.db'),
  })
  await node.start()
  const options = { to: 'bench/callee' } as const
  return {
    name: 'parley',
    async work() {
      const { text } = await node.call(echo.say, { text: bodyText }, options)
      if (text.length !== bodyText.length) throw new Error(`a reply has ${String(text.length)} characters`)
    },
    async [Symbol.asyncDispose]() {
      await node.close()
      await responder[Symbol.asyncDispose]()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

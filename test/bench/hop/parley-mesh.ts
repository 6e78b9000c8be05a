import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createKeySigner,
  extendDelegation,
  generateSeed,
  initFileIssuer,
  openFileIssuer,
  type OwnerIssuer,
} from '@parley/identity'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { echo } from './echo-contract.ts'

/** A folder with an issuer, and the chain under which the caller acts. */
export interface ParleyMesh extends AsyncDisposable {
  readonly dir: string
}

const ports = { clock: createSystemClock(), random: createSystemRandom() }
/** Longer than any run: what is measured is the hop, not the issuer. */
const lifeMs = 3_600_000

/** Opens the issuer of the measured mesh. */
export function openBenchIssuer(dir: string): Promise<OwnerIssuer> {
  return openFileIssuer({ dir: join(dir, 'issuer'), credentialMs: lifeMs, ...ports })
}

/** Makes an owner, its issuer, and a chain of depth 2: the owner lets `bench/desk`, and that `bench/caller`, say `echo`. */
export async function createParleyMesh(): Promise<ParleyMesh> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  await initFileIssuer({ dir: join(dir, 'issuer'), alias: 'bench', ...ports })
  const issuer = await openBenchIssuer(dir)
  const signer = createKeySigner(generateSeed(ports.random))
  const issued = await issuer.issue({ name: 'bench/desk', instance: signer.did, serves: [], calls: [] })
  const capabilities = [echo.say.capability]
  const root = await issuer.delegate({ to: 'bench/desk', capabilities, forMs: lifeMs })
  const nowMs = ports.clock.now()
  const links = await extendDelegation(
    root,
    {
      id: Buffer.from(ports.random.bytes(16)).toString('base64url'),
      delegate: { owner: issuer.owner, name: 'bench/caller' },
      capabilities,
      notBeforeMs: nowMs,
      expiresAtMs: nowMs + lifeMs - 60_000,
    },
    { signer, agent: { owner: issuer.owner, name: 'bench/desk' }, ...issued },
  )
  await writeFile(join(dir, 'chain.json'), JSON.stringify(links))
  return {
    dir,
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true })
    },
  }
}

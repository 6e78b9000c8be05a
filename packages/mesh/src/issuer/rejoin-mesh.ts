import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createKeySigner,
  createNkey,
  drawRejoinAttempt,
  hashJoinText,
  parseJoinToken,
  readRejoinFile,
  writeRejoinFile,
  type RejoinAttempt,
  type RejoinFolder,
  type RejoinState,
} from '@parley/identity'
import { createSystemRandom, type Random } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { takeProcessLock } from '@parley/store-sqlite'
import type { ReturnGranted } from './issuer-schema.ts'
import { joinWith } from './join-mesh.ts'
import type { KeptSeat } from './kept-seat.ts'
import type { MeshJoin } from './mesh-join.ts'

/** What a process joins with that shall be able to restart. */
export interface RejoinOptions {
  /** Where the right to come back is kept (0600). It belongs to one process at a time. */
  readonly dir: string
  /** The join token to begin with. It is not looked at again, until it is another one. */
  readonly token: string | undefined
  readonly random?: Random
}

/**
 * Joins with a join token once, and after every restart with what was kept of the time before: `createNode({ issuer: await
 * rejoinMesh({ dir: '/var/lib/desk', token: process.env.PARLEY_JOIN }) })`. Each start uses up what was kept and keeps
 * something new; the keys never leave the process. Rejects with `identity.join-token-invalid` if there is neither, with
 * `store.locked` while another process uses the folder, and as `readKeyFile` does.
 */
export async function rejoinMesh({ dir, token, random = createSystemRandom() }: RejoinOptions): Promise<MeshJoin> {
  const folder = { dir, random }
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const release = takeProcessLock(join(dir, 'rejoin'))
  try {
    const kept = await readRejoinFile(folder)
    const begun = beginWith(folder.dir, kept, token)
    const attempt = begun.attempt ?? drawRejoinAttempt(random)
    if (begun.attempt === undefined) await writeRejoinFile(folder, { ...begun, attempt })
    return { ...joinWith(begun.token), seat: createKeptSeat(folder, begun, attempt, release) }
  } catch (error) {
    release()
    throw error
  }
}

/** A token that it did not begin with replaces what is kept: that is how a process is helped that cannot come back. */
function beginWith(dir: string, kept: RejoinState | undefined, text: string | undefined): RejoinState {
  const token = text?.trim() ?? ''
  const origin = hashJoinText(token)
  if (kept && (token === '' || kept.origin === origin)) return kept
  if (token === '')
    throw new MeshError(
      'identity.join-token-invalid',
      `there is no join token (is PARLEY_JOIN set, if it comes from there?), and ${dir} keeps nothing to come back with`,
    )
  return { origin, token: parseJoinToken(token) }
}

function createKeptSeat(
  folder: RejoinFolder,
  begun: RejoinState,
  attempt: RejoinAttempt,
  release: () => void,
): KeptSeat {
  const nkey = createNkey('U', attempt.nextNkey)
  let held: { readonly grant: string; readonly renewAtMs: number } | undefined
  return {
    keys: { signer: createKeySigner(attempt.signing), nkey: createNkey('U', attempt.nkey) },
    ask: () => ({ key: createKeySigner(attempt.nextKey).did, nkey: nkey.nkey }),
    askAgain: (nowMs) => (held && nowMs >= held.renewAtMs ? { grant: held.grant, nkey: nkey.nkey } : undefined),
    async keep({ grant, renewAtMs, login }: ReturnGranted) {
      const { login: _, ...where } = begun.token
      const token = {
        ...where,
        grant,
        seed: attempt.nextKey,
        ...(login ? { login: { ...login, nkey: nkey.seed } } : {}),
      }
      await writeRejoinFile(folder, { origin: begun.origin, token })
      held = { grant, renewAtMs }
    },
    release,
  }
}

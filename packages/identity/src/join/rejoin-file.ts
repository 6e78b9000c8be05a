import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Random, systemHash } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import { isObjectClaim } from '../jwt/claim.ts'
import { errnoOf, replaceDurableFile } from '../key/durable-file.ts'
import { readPrivateText } from '../key/private-file.ts'
import { generateSeed, seedBytes } from '../key/seed.ts'
import { formatJoinToken, type JoinToken, parseJoinToken } from './join-token.ts'

/** Where a process keeps the right to come back to the mesh. One process at a time may use it. */
export interface RejoinFolder {
  readonly dir: string
  readonly random: Random
}

/** What is kept between two starts of a process. All of it is secret. */
export interface RejoinState {
  /** Tells which join token it began with: another one begins anew. */
  readonly origin: string
  /** What the process joins with next. */
  readonly token: JoinToken
  /** Seeds that were drawn for joining with `token`, kept until the answer came: it may have been lost. */
  readonly attempt?: RejoinAttempt
}

/** 32-byte seeds of one attempt to join. */
export interface RejoinAttempt {
  /** Of the instance that asks, and of its NATS user key. */
  readonly signing: Uint8Array
  readonly nkey: Uint8Array
  /** Of the key with which it will come back, and of the NATS user key that goes with that. */
  readonly nextKey: Uint8Array
  readonly nextNkey: Uint8Array
}

const fileName = 'rejoin.json'
const format = 'parley-rejoin/1'
const maxBytes = 131_072
const seedNames = ['signing', 'nkey', 'nextKey', 'nextNkey'] as const

/** Draws the seeds of an attempt. */
export function drawRejoinAttempt(random: Random): RejoinAttempt {
  const draw = (): Uint8Array => generateSeed(random)
  return { signing: draw(), nkey: draw(), nextKey: draw(), nextNkey: draw() }
}

/** Tells which token a text is, without keeping it. */
export function hashJoinText(text: string): string {
  return Buffer.from(systemHash(Buffer.from(text))).toString('base64url')
}

/**
 * Reads what is kept; undefined if nothing is. Rejects with `identity.key-file-permissions` and
 * `identity.key-file-invalid`, without repeating any of it.
 */
export async function readRejoinFile({ dir }: RejoinFolder): Promise<RejoinState | undefined> {
  const path = join(dir, fileName)
  try {
    await stat(path)
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw new MeshError('identity.key-file-invalid', `${path} cannot be read`, { cause })
  }
  const text = await readPrivateText(path, maxBytes)
  const state = parseState(text)
  if (!state) throw new MeshError('identity.key-file-invalid', `${path} is damaged; remove it and give a join token`)
  return state
}

/** Keeps a state durably, in a file that only its owner may read. Rejects with `identity.key-file-invalid`. */
export async function writeRejoinFile({ dir, random }: RejoinFolder, state: RejoinState): Promise<void> {
  const { origin, token, attempt } = state
  const seeds = attempt && Object.fromEntries(seedNames.map((name) => [name, encode(attempt[name])]))
  const body = { format, origin, token: formatJoinToken(token), ...(seeds ? { attempt: seeds } : {}) }
  const path = join(dir, fileName)
  try {
    await replaceDurableFile(path, `${JSON.stringify(body, undefined, 2)}\n`, { random, mode: 0o600 })
  } catch (cause) {
    throw new MeshError('identity.key-file-invalid', `${path} cannot be written`, { cause })
  }
}

function parseState(text: string): RejoinState | undefined {
  try {
    const body: unknown = JSON.parse(text)
    if (!isObjectClaim(body) || body['format'] !== format) return undefined
    const { origin, token, attempt } = body
    if (typeof origin !== 'string' || typeof token !== 'string') return undefined
    const parsed = { origin, token: parseJoinToken(token) }
    if (attempt === undefined) return parsed
    const seeds = isObjectClaim(attempt) ? seedNames.map((name) => decode(attempt[name])) : []
    const [signing, nkey, nextKey, nextNkey] = seeds
    return signing && nkey && nextKey && nextNkey
      ? { ...parsed, attempt: { signing, nkey, nextKey, nextNkey } }
      : undefined
  } catch (cause) {
    if (cause instanceof SyntaxError || isMeshError(cause)) return undefined
    throw cause
  }
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function decode(value: unknown): Uint8Array | undefined {
  const bytes = typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64url')) : undefined
  return bytes?.length === seedBytes ? bytes : undefined
}

import type { Clock, Random, Signer } from '@parley/ports'
import { type AgentName, formatId, type InstanceDid, isAgentName, MeshError } from '@parley/protocol'
import { type Anchor, createAnchors, parseAnchor } from '../credential/anchor.ts'
import { isObjectClaim } from '../jwt/claim.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { generateSeed, seedBytes } from '../key/seed.ts'
import type { NatsAccount } from '../nats/nats-account.ts'
import { generateUserNkey } from '../nats/nkey.ts'
import { signJoinGrant } from './join-grant.ts'

/** Everything that a process needs to join a mesh, besides its name and what it serves. A secret. */
export interface JoinToken {
  /** The owners that the newcomer accepts; the issuer's own is among them. */
  readonly anchors: readonly Anchor[]
  readonly mesh: string
  /** URL of the broker. */
  readonly nats?: string
  /** The agent that serves the issuer's contract. */
  readonly issuer: AgentName
  /** The issuer's promise, and the private key that it is made to. */
  readonly grant: string
  readonly seed: Uint8Array
  /** How to get past a broker's fence as far as the issuer; absent where there is none. */
  readonly login?: JoinLogin
}

/** What a joiner logs in to a fenced broker with. */
export interface JoinLogin {
  /** The instance at which it asks: nobody else can be reached. */
  readonly issuer: InstanceDid
  /** The seed of a NATS user key. */
  readonly nkey: string
  /** The user token of that key. */
  readonly jwt: string
}

/** What a new join token is made of. */
export interface JoinTokenDraft {
  /** The name that its one user joins as. */
  readonly name: string
  readonly anchors: readonly Anchor[]
  readonly mesh?: string
  readonly nats?: string
  /** The agent that serves the issuer's contract; `<alias>/issuer` by default. */
  readonly issuer?: string
  readonly serves?: readonly string[]
  readonly calls?: readonly string[]
  /** For how long from now; ten minutes by default. */
  readonly lifeMs?: number
  /** The instance at which the issuer is asked behind a fence: with it the token holds a login, made by `natsAccount`. */
  readonly door?: InstanceDid
}

/** Long enough to hand it over and start a process, short enough that a forgotten one is soon worthless. */
export const defaultJoinTokenMs: number = 10 * 60_000

const prefix = 'parley-join-1.'
const maxLength = 65_536

/**
 * Makes a one-time join token with the issuer's key. The token holds a fresh private key: what travels to the issuer later
 * is only a signature of it over one instance's key, so whoever watches cannot join in its place. Returns the grant's id too,
 * which names the token in orders. Rejects with `identity.join-token-invalid` or `identity.anchor-invalid`.
 */
export async function createJoinToken(
  signer: Signer,
  draft: JoinTokenDraft,
  ports: { readonly clock: Clock; readonly random: Random; readonly natsAccount?: NatsAccount },
): Promise<{ readonly id: string; readonly token: JoinToken; readonly expiresAtMs: number }> {
  const { name, anchors, mesh = 'main', nats, serves, calls, lifeMs = defaultJoinTokenMs } = draft
  const issuer = draft.issuer ?? `${name.slice(0, name.indexOf('/'))}/issuer`
  if (!isAgentName(name)) throw invalid(`${JSON.stringify(name)} is not an agent's name`)
  if (!isAgentName(issuer)) throw invalid('the issuer is not an agent’s name')
  createAnchors(anchors)
  const { door } = draft
  const mintJoiner = ports.natsAccount?.mintJoiner
  if (door !== undefined && !mintJoiner)
    throw invalid('the account of the broker has no key here to make its login with')
  const seed = generateSeed(ports.random)
  const key = createKeySigner(seed).did
  const id = formatId(ports.random.bytes(16))
  const issuedAtMs = ports.clock.now()
  const expiresAtMs = issuedAtMs + lifeMs
  const grant = await signJoinGrant(signer, {
    id,
    key,
    name,
    ...(serves ? { serves } : {}),
    ...(calls ? { calls } : {}),
    issuedAtMs,
    expiresAtMs,
  })
  const user = generateUserNkey(ports.random)
  const login =
    mintJoiner && door !== undefined
      ? {
          issuer: door,
          nkey: user.seed,
          jwt: await mintJoiner({ nkey: user.nkey, key, issuer: door, expiresAtMs }),
        }
      : undefined
  const token = { anchors, mesh, ...(nats === undefined ? {} : { nats }), issuer, grant, seed, ...(login && { login }) }
  return { id, token, expiresAtMs }
}

/** Writes a join token as one string without spaces, for an environment variable. The string is a secret. */
export function formatJoinToken({ anchors, mesh, nats, issuer, grant, seed, login }: JoinToken): string {
  const body = { anchors, mesh, nats, issuer, grant, seed: Buffer.from(seed).toString('base64url'), login }
  return `${prefix}${Buffer.from(JSON.stringify(body)).toString('base64url')}`
}

/** Reads a join token. Throws `identity.join-token-invalid`, without repeating any of it, or as `createAnchors` does. */
export function parseJoinToken(text: string): JoinToken {
  if (!text.startsWith(prefix) || text.length > maxLength) throw invalid('it does not start with parley-join-1.')
  const body = parseBody(text.slice(prefix.length))
  if (!isObjectClaim(body)) throw invalid('it is cut off or damaged')
  const { anchors, mesh, nats, issuer, grant, seed, login } = body
  if (!Array.isArray(anchors) || anchors.length === 0) throw invalid('it has no anchors')
  if (typeof mesh !== 'string' || typeof grant !== 'string' || typeof seed !== 'string') throw invalid('it is damaged')
  if (nats !== undefined && typeof nats !== 'string') throw invalid('its broker is not a URL')
  if (typeof issuer !== 'string' || !isAgentName(issuer)) throw invalid('its issuer is not an agent’s name')
  if (!(login === undefined || isLogin(login))) throw invalid('its login is damaged')
  const bytes = new Uint8Array(Buffer.from(seed, 'base64url'))
  if (bytes.length !== seedBytes) throw invalid('its key is damaged')
  const parsed = anchors.map(parseAnchor)
  createAnchors(parsed)
  return {
    anchors: parsed,
    mesh,
    ...(nats === undefined ? {} : { nats }),
    issuer,
    grant,
    seed: bytes,
    ...(login && { login }),
  }
}

function isLogin(value: unknown): value is JoinLogin {
  if (!isObjectClaim(value)) return false
  const { issuer, nkey, jwt } = value
  if (typeof issuer !== 'string' || typeof nkey !== 'string' || typeof jwt !== 'string') return false
  return isInstanceDid(issuer) && /^SU[A-Z2-7]{56}$/.test(nkey) && /^[\w-]+(?:\.[\w-]+){2}$/.test(jwt)
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    // The cause would repeat a part of the secret.
    return undefined
  }
}

function invalid(why: string): MeshError {
  return new MeshError('identity.join-token-invalid', `the join token is refused: ${why}`)
}

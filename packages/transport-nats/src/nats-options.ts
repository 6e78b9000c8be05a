import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import {
  jwtAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
  type Authenticator,
  type NodeConnectionOptions,
  type TlsOptions,
} from '@nats-io/transport-node'

/** How to reach a NATS server. At most one of `token`, `user` and `nkey` is used, in the order nkey, user, token. */
export interface NatsOptions {
  /** One URL or several of the same cluster, for instance `nats://127.0.0.1:4222`. */
  readonly servers: string | readonly string[]
  /** What the server's monitoring shows for this connection. */
  readonly name?: string
  readonly token?: string
  readonly user?: string
  readonly pass?: string
  /** The seed of an nkey (`SU...`); it signs the server's challenge and never leaves the process. */
  readonly nkey?: string
  /** The user token that an issuer gave for `nkey`. A function is asked at every login, so that a renewed one is used. */
  readonly jwt?: string | (() => string)
  /**
   * Whether the server's word that nobody listens is believed. It can be forged by whoever may publish to one's own inbox,
   * so it is by default where there is an `nkey`, which only a server with permissions asks for.
   */
  readonly believesBounces?: boolean
  /** What answers to requests come back under; a fenced broker lets nobody else publish there. Default `_INBOX`. */
  readonly inboxPrefix?: string
  /** TLS settings; an empty object demands TLS with the system's roots. */
  readonly tls?: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly handshakeFirst?: boolean
  }
  /** How often a lost connection is dialled before it is given up; -1, the default, never gives up. */
  readonly maxReconnectAttempts?: number
  /** Pause between dials; default 1000. */
  readonly reconnectWaitMs?: number
  /** How long one dial may take; default 5000. */
  readonly connectTimeoutMs?: number
}

/** How long a dial may take unless the options say otherwise, in milliseconds. */
export const defaultConnectTimeoutMs = 5_000
const defaultReconnectWaitMs = 1_000

/** Translates the options to those of the NATS client. */
export function toConnectionOptions(options: NatsOptions): NodeConnectionOptions {
  const authenticator = createAuthenticator(options)
  return {
    servers: [...listServers(options)],
    timeout: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    maxReconnectAttempts: options.maxReconnectAttempts ?? -1,
    reconnectTimeWait: options.reconnectWaitMs ?? defaultReconnectWaitMs,
    // A server that is set up anew may refuse for a while: that is no reason to give up for ever.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    ...(options.tls === undefined ? {} : { tls: withIdentityCheck(options) }),
    ...(authenticator === undefined ? {} : { authenticator }),
  }
}

/** Lists the servers as they were given. */
function listServers({ servers }: Pick<NatsOptions, 'servers'>): readonly string[] {
  return typeof servers === 'string' ? [servers] : servers
}

/** Formats the servers for a message, without user, password or token. */
export function formatServers(options: Pick<NatsOptions, 'servers'>): string {
  return listServers(options)
    .map((server) => server.replace(/^([a-z+]+:\/\/)?[^/]*@/i, '$1'))
    .join(', ')
}

/**
 * The client checks the certificate of a server that is named by its address against `localhost`, so that one for
 * `localhost` would do anywhere. Here the address itself has to be in it (RFC 6125 §6.4, RFC 2818 §3.1).
 */
function withIdentityCheck(options: NatsOptions): TlsOptions {
  const hosts = listServers(options).map(hostOf)
  const addresses = hosts.filter((host) => isIP(host) !== 0)
  const check: typeof checkServerIdentity = (host, certificate) => {
    if (host !== 'localhost' || hosts.includes('localhost') || addresses.length === 0)
      return checkServerIdentity(host, certificate)
    const problems = addresses.map((address) => checkServerIdentity(address, certificate))
    return problems.includes(undefined) ? undefined : problems[0]
  }
  const settings = { ...options.tls, checkServerIdentity: check }
  return settings
}

function hostOf(server: string): string {
  const authority = server.replace(/^[a-z+]+:\/\//i, '').replace(/^[^/]*@/, '')
  return /^\[([^\]]*)\]/.exec(authority)?.[1] ?? authority.replace(/[:/].*$/s, '')
}

function createAuthenticator({ nkey, jwt, user, pass, token }: NatsOptions): Authenticator | undefined {
  if (nkey !== undefined) {
    const seed = new TextEncoder().encode(nkey)
    return jwt === undefined ? nkeyAuthenticator(seed) : jwtAuthenticator(jwt, seed)
  }
  if (user !== undefined) return usernamePasswordAuthenticator(user, pass)
  return token === undefined ? undefined : tokenAuthenticator(token)
}

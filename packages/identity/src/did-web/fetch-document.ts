import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { Agent, get } from 'node:https'
import type { LookupFunction } from 'node:net'
import { MeshError } from '@parley/protocol'
import { isPublicAddress } from './public-address.ts'

/** How documents are fetched. */
export interface FetchOptions {
  /** Which addresses may be asked; those of the public internet by default, so that no name can point inwards. */
  readonly isAllowedAddress?: (address: string) => boolean
  /** Resolves a host name to addresses; the system's by default. */
  readonly lookup?: (host: string) => Promise<readonly LookupAddress[]>
  /** Certificates (PEM) of the only authorities to accept; those of the system by default. */
  readonly ca?: string
  /** How long a fetch may take in all; 5 seconds by default. */
  readonly timeoutMs?: number
  /** How large a document may be; 64 KiB by default. */
  readonly maxBytes?: number
}

const defaultTimeoutMs = 5_000
const defaultMaxBytes = 65_536

/**
 * Fetches a document by https. The address that is connected to is the one that was checked, so a name that answers
 * differently the second time gains nothing. Redirects are not followed. Rejects with `identity.did-unresolvable`.
 */
export function fetchDocument(url: URL, options: FetchOptions = {}): Promise<string> {
  const { timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes, ca } = options
  const agent = new Agent({
    keepAlive: false,
    maxCachedSessions: 0,
    minVersion: 'TLSv1.2',
    lookup: createCheckedLookup(options),
    ...(ca === undefined ? {} : { ca }),
  })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const fail = (why: string, cause?: unknown): void => {
    reject(
      new MeshError(
        'identity.did-unresolvable',
        `${url.href} cannot be fetched: ${why}`,
        cause === undefined ? {} : { cause },
      ),
    )
  }
  const signal = AbortSignal.timeout(timeoutMs)
  const request = get(
    url,
    { agent, signal, headers: { accept: 'application/did+json, application/json' } },
    (response) => {
      if (response.statusCode !== 200) {
        fail(`status ${String(response.statusCode)}${response.headers.location === undefined ? '' : ', a redirect'}`)
        request.destroy()
        return
      }
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > maxBytes) {
          fail(`it is larger than ${String(maxBytes)} bytes`)
          request.destroy()
        } else chunks.push(chunk)
      })
      response.on('error', (error) => {
        fail(error.message, error)
      })
      response.on('end', () => {
        resolve(Buffer.concat(chunks).toString('utf8'))
      })
    },
  )
  request.on('error', (error) => {
    fail(signal.aborted ? `it took longer than ${String(timeoutMs)} ms` : error.message, error)
  })
  return promise.finally(() => {
    agent.destroy()
  })
}

/** Resolves names for the agent and hands it only addresses that are allowed. */
function createCheckedLookup(options: FetchOptions): LookupFunction {
  const { isAllowedAddress = isPublicAddress, lookup = lookupAll } = options
  return (host, wanted, tell) => {
    const decide = async (): Promise<readonly [LookupAddress, ...LookupAddress[]]> => {
      const [first, ...rest] = await lookup(host)
      if (!first) throw new Error(`${host} has no address`)
      const addresses = [first, ...rest] as const
      const refused = addresses.find(({ address }) => !isAllowedAddress(address))
      // One address that is not allowed is enough: whoever answers for the name means to lead inwards.
      if (refused) throw new Error(`${host} resolves to ${refused.address}, which is not of the public internet`)
      return addresses
    }
    void decide().then(
      (addresses) => {
        if (wanted.all === true) tell(null, [...addresses])
        else tell(null, addresses[0].address, addresses[0].family)
      },
      (error: unknown) => {
        tell(error instanceof Error ? error : new Error('the name cannot be resolved'), '', 0)
      },
    )
  }
}

function lookupAll(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => {
      if (error) reject(error)
      else resolve(addresses)
    })
  })
}

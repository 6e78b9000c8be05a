import type { Clock } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import { type DIDDocument, type DIDResolutionResult, Resolver } from 'did-resolver'
import { isObjectClaim } from '../jwt/claim.ts'
import { resolveDidKey } from '../key/did-resolver.ts'
import { decideWebUrl } from './did-web-url.ts'
import { fetchDocument, type FetchOptions } from './fetch-document.ts'

/** How did:web is resolved. */
export interface WebResolverOptions extends FetchOptions {
  readonly clock: Clock
  /** How long a document is good for; one minute by default. Failures are never kept. */
  readonly cacheMs?: number
  /** How many documents are kept at most; 256 by default, the oldest makes room. */
  readonly maxCached?: number
}

const defaultCacheMs = 60_000
const defaultMaxCached = 256

/**
 * Creates a resolver of did:key and did:web. For did:web it asks the network, so it has no place where calls are decided:
 * anchors are resolved when they are loaded and refreshed.
 */
export function createWebResolver(options: WebResolverOptions): Resolver {
  const { clock, cacheMs = defaultCacheMs, maxCached = defaultMaxCached } = options
  const cache = new Map<string, { readonly result: Promise<DIDResolutionResult>; readonly untilMs: number }>()
  const resolveWeb = (did: string): Promise<DIDResolutionResult> => {
    const known = cache.get(did)
    if (known && clock.monotonic() < known.untilMs) return known.result
    cache.delete(did)
    const result = fetchResult(did, options).then((fetched) => {
      if (!fetched.didDocument && cache.get(did)?.result === result) cache.delete(did)
      return fetched
    })
    cache.set(did, { result, untilMs: clock.monotonic() + cacheMs })
    for (const oldest of cache.keys()) {
      if (cache.size <= maxCached) break
      cache.delete(oldest)
    }
    return result
  }
  return new Resolver({ key: resolveDidKey, web: resolveWeb })
}

async function fetchResult(did: string, options: FetchOptions): Promise<DIDResolutionResult> {
  const place = decideWebUrl(did)
  if (place.kind === 'deny') return failed('invalidDid', place.reason)
  try {
    const document = parseDocument(await fetchDocument(place.url, options))
    if (document?.id !== did) return failed('notFound', `${place.url.href} is not the document of ${did}`)
    return {
      didResolutionMetadata: { contentType: 'application/did+json' },
      didDocument: document,
      didDocumentMetadata: {},
    }
  } catch (error) {
    if (!isMeshError(error)) throw error
    return failed('notFound', error.message)
  }
}

function parseDocument(text: string): DIDDocument | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObjectClaim(value) && typeof value['id'] === 'string' ? (value as unknown as DIDDocument) : undefined
  } catch {
    // Not JSON: not a document.
    return undefined
  }
}

function failed(error: 'invalidDid' | 'notFound', message: string): DIDResolutionResult {
  return { didResolutionMetadata: { error, message }, didDocument: null, didDocumentMetadata: {} }
}

import { isIP } from 'node:net'
import { type Did, refuse, type Refusal } from '@parley/protocol'
import { isInstanceDid } from '../key/did-key.ts'
import { quote } from '../key/quote.ts'

const prefix = 'did:web:'
const maxLength = 512
/** A DNS name of two labels or more whose last starts with a letter: no address in any spelling, no `localhost`. */
const hostPattern = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const portPattern = /^[1-9]\d{0,4}$/
const segmentPattern = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/

/** Tells whether text is the one spelling of a did:web that is accepted. */
export function isWebDid(text: string): text is Did {
  return decideWebUrl(text).kind === 'allow'
}

/** Tells whether text is the DID of an owner: a canonical did:key or did:web. */
export function isOwnerDid(text: string): text is Did {
  return isInstanceDid(text) || isWebDid(text)
}

/**
 * Decides where the document of a did:web is (W3C CCG did:web method): `did:web:host` at `/.well-known/did.json`,
 * `did:web:host:a:b` at `/a/b/did.json`; a port is written `%3A443`. Lower-case DNS names only: addresses, other escapes and
 * dot segments are refused. Code: `identity.did-invalid`.
 */
export function decideWebUrl(did: string): { readonly kind: 'allow'; readonly url: URL } | Refusal {
  if (!did.startsWith(prefix) || did.length > maxLength) return invalid(did)
  const [authority = '', ...path] = did.slice(prefix.length).split(':')
  const [host = '', port, ...rest] = authority.split('%3A')
  if (rest.length > 0 || host.length > 253 || !hostPattern.test(host) || isIP(host) !== 0) return invalid(did)
  if (port !== undefined && (!portPattern.test(port) || Number(port) > 65_535)) return invalid(did)
  if (path.length > 8 || !path.every((segment) => segmentPattern.test(segment))) return invalid(did)
  const place = path.length === 0 ? '.well-known' : path.join('/')
  return { kind: 'allow', url: new URL(`https://${host}${port === undefined ? '' : `:${port}`}/${place}/did.json`) }
}

function invalid(did: string): Refusal {
  return refuse('identity.did-invalid', `${quote(did)} is not a did:web that is accepted here`)
}

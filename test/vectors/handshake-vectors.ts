import { jwtTypes, type KeySigner } from '@parley/identity'
import { systemHash } from '@parley/ports'
import { formatInboxSubject, hashEnvelopes, type InstanceDid } from '@parley/protocol'
import {
  acmeIssuer,
  anchorList,
  desk,
  nowSeconds,
  planes,
  signClaims,
  signDeskCredential,
  signStatement,
} from './token-parties.ts'
import { base64url, drawBytes, envelopeOf, frameOf, hex, nowMs, printVectors } from './vector-kit.ts'

/** One frame of the transcript. */
export interface TranscriptFrame {
  readonly name: string
  readonly subject: string
  readonly bytes: string
  /** What is in it, in order: leaf hashes in base64url, as `inReplyTo` names them. */
  readonly envelopes: readonly { readonly header: object; readonly body: string; readonly leaf: string }[]
}

/** A handshake, one call over it, and what both sides come to. */
export interface Transcript {
  readonly session: string
  readonly frames: readonly TranscriptFrame[]
}

interface Said {
  readonly header: Readonly<Record<string, unknown>>
  readonly body?: string
}

/** Writes down acme/desk shaking hands with acme/planes and calling it once, as two nodes do. */
export async function createTranscript(): Promise<Transcript> {
  const statement = await signStatement({ serves: ['flights:reserve'], calls: ['flights:reserve'] })
  const planesCredential = await signClaims(acmeIssuer, jwtTypes.credential, {
    nbf: nowSeconds,
    jti: base64url(drawBytes('credential planes', 16)),
    instance: planes.did,
    name: 'acme/planes',
    serves: ['flights:reserve'],
    calls: [],
    kind: 'agent',
  })
  const spoken = { versions: [1], suites: [1] }
  const chosen = { version: 1, suite: 1 }
  const say = async (
    name: string,
    by: KeySigner,
    to: InstanceDid,
    ...parts: readonly Said[]
  ): Promise<TranscriptFrame> => {
    const headers = parts.map(({ header: { type, ...rest } }, at) => ({
      type,
      id: base64url(drawBytes(`id ${name} ${String(at)}`, 16)),
      from: by.did,
      to,
      mesh: 'main',
      ...rest,
    }))
    const envelopes = headers.map((header, at) => envelopeOf(`${name} ${String(at)}`, header, parts[at]?.body))
    const leaves = hashEnvelopes(systemHash, envelopes).map(base64url)
    return {
      name,
      subject: formatInboxSubject('main', to, by.did),
      bytes: hex(await frameOf(envelopes, by)),
      envelopes: headers.map((header, at) => ({ header, body: parts[at]?.body ?? '', leaf: leaves[at] ?? '' })),
    }
  }
  const times = (lifeMs: number): object => ({ issuedAtMs: nowMs, expiresAtMs: nowMs + lifeMs })
  const leafOf = ({ envelopes }: TranscriptFrame, at = 0): string => envelopes[at]?.leaf ?? ''
  const hello = await say('hello', desk, planes.did, {
    header: {
      type: 'hello',
      ...times(30_000),
      credential: await signDeskCredential(),
      statement,
      nonce: base64url(drawBytes('nonce desk', 16)),
      ...spoken,
      keyShare: base64url(drawBytes('key share desk', 32)),
    },
  })
  const welcome = await say('welcome', planes, desk.did, {
    header: {
      type: 'welcome',
      ...times(30_000),
      credential: planesCredential,
      statement,
      nonce: base64url(drawBytes('nonce planes', 16)),
      ...spoken,
      ...chosen,
      keyShare: base64url(drawBytes('key share planes', 32)),
      inReplyTo: leafOf(hello),
    },
  })
  const session = base64url(
    systemHash(Buffer.from(leafOf(hello), 'base64url'), Buffer.from(leafOf(welcome), 'base64url')),
  )
  const call = await say(
    'ready and request',
    desk,
    planes.did,
    { header: { type: 'ready', ...times(30_000), session, inReplyTo: leafOf(welcome), ...chosen } },
    {
      header: {
        type: 'request',
        ...times(5_000),
        contentType: 'application/json',
        session,
        counter: 1,
        capability: 'flights:reserve',
        contract: base64url(drawBytes('contract', 32)),
        remainingMs: 5_000,
        traceparent: `00-${hex(drawBytes('trace', 16))}-${hex(drawBytes('span', 8))}-01`,
      },
      body: '{"to":"SFO"}',
    },
  )
  const reply = await say('reply', planes, desk.did, {
    header: {
      type: 'reply',
      ...times(60_000),
      contentType: 'application/json',
      inReplyTo: leafOf(call, 1),
      session,
      counter: 1,
    },
    body: '{"outcome":{"kind":"ok","output":{"seat":"12A"}},"record":2}',
  })
  return { session, frames: [hello, welcome, call, reply] }
}

/** Writes handshake.json. */
export async function renderTranscript(): Promise<string> {
  const { session, frames } = await createTranscript()
  return printVectors(
    'acme/desk shakes hands with acme/planes and calls it once. The session is SHA-256 over the leaves of hello and welcome.',
    { nowMs, anchors: anchorList.slice(0, 1), session },
    { frames },
  )
}

import { createCipheriv, createDecipheriv } from 'node:crypto'
import { createKeyAgreement, createKeySigner, generateSeed, verifySignature } from '@parley/identity'
import { createSystemRandom, systemHash } from '@parley/ports'
import {
  createReplayWindow,
  decodeFrame,
  encodeFrame,
  frameSignedBytes,
  hashEnvelopes,
  limits,
  parseHeader,
  signingDomains,
  suites,
  type UnsignedEnvelope,
} from '@parley/protocol'
import type { Step } from './measure-step.ts'

const bodyBytes = 400
const suite = suites.ed25519Sha256

/** Lists what an envelope costs outside of the pipelines, alone and in a full bundle. */
export async function listEnvelopeSteps(): Promise<readonly Step[]> {
  const random = createSystemRandom()
  const signer = createKeySigner(generateSeed(random))
  const hash = 'h'.repeat(43)
  const fields = {
    type: 'request',
    id: 'i'.repeat(22),
    from: signer.did,
    to: signer.did,
    mesh: 'main',
    issuedAtMs: 1_767_225_600_000,
    expiresAtMs: 1_767_225_605_000,
    contentType: 'application/json',
    session: hash,
    counter: 17,
    capability: 'echo:say',
    contract: hash,
    remainingMs: 5_000,
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
  }
  const encodeHeader = (): Uint8Array => new TextEncoder().encode(JSON.stringify(fields))
  const body = new Uint8Array(bodyBytes).fill(0x78)
  const make = (): UnsignedEnvelope => ({ header: encodeHeader(), body, salt: random.bytes(16) })
  const [one, full] = [[make()], Array.from({ length: limits.frameEnvelopes }, make)]
  const signed = async (envelopes: readonly UnsignedEnvelope[]): Promise<Uint8Array> => {
    const bytes = frameSignedBytes(systemHash, suite, hashEnvelopes(systemHash, envelopes))
    return encodeFrame(suite, await signer.sign(signingDomains.frame, bytes), envelopes)
  }
  const [oneFrame, fullFrame] = [await signed(one), await signed(full)]
  const opened = decodeFrame(systemHash, oneFrame)
  if (opened.kind === 'deny') throw new Error(opened.reason)
  const { signedBytes, signature } = opened.frame
  const header = encodeHeader()
  const [key, nonce] = [random.bytes(32), random.bytes(12)]
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(header)
  const ciphertext = Buffer.concat([cipher.update(body), cipher.final()])
  const tag = cipher.getAuthTag()
  const window = createReplayWindow()
  const agreement = createKeyAgreement(random)
  const info = random.bytes(32)
  let counter = 0
  return [
    { name: 'encode the header', run: encodeHeader },
    { name: 'seal: salt, commitment, leaf', run: () => hashEnvelopes(systemHash, [{ ...make(), header }]) },
    {
      name: 'encrypt a body of 400 bytes',
      run: () => {
        const sealing = createCipheriv('aes-256-gcm', key, nonce).setAAD(header)
        sealing.update(body)
        sealing.final()
        return sealing.getAuthTag()
      },
    },
    {
      name: 'decrypt a body of 400 bytes',
      run: () => {
        const opening = createDecipheriv('aes-256-gcm', key, nonce).setAAD(header).setAuthTag(tag)
        opening.update(ciphertext)
        return opening.final()
      },
    },
    { name: 'sign a frame', run: () => signer.sign(signingDomains.frame, signedBytes) },
    { name: 'encode a frame of 1', run: () => encodeFrame(suite, signature, one) },
    { name: 'encode a frame of 64, an envelope', units: full.length, run: () => encodeFrame(suite, signature, full) },
    { name: 'open a frame of 1', run: () => decodeFrame(systemHash, oneFrame) },
    { name: 'open a frame of 64, an envelope', units: full.length, run: () => decodeFrame(systemHash, fullFrame) },
    {
      name: 'verify a frame',
      run: () => verifySignature(signer.did, signingDomains.frame, signedBytes, signature),
    },
    {
      name: 'verify a frame of 64, an envelope',
      units: full.length,
      run: () => verifySignature(signer.did, signingDomains.frame, signedBytes, signature),
    },
    { name: 'parse the header', run: () => parseHeader(header) },
    { name: 'ask the replay window', run: () => window.accept(++counter) },
    {
      name: 'agree on a secret, both sides of a handshake',
      async run() {
        const share = await agreement.createShare()
        const made = await agreement.encapsulate(share.publicKey, info)
        if (made.kind === 'allow') await share.accept(made.encapsulated, info)
      },
    },
  ]
}

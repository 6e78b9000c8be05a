import { createKeySigner, generateSeed } from '@parley/identity'
import { systemHash } from '@parley/ports'
import {
  decodeFrame,
  encodeFrame,
  formatInboxSubject,
  frameSignedBytes,
  hashEnvelopes,
  limits,
  signingDomains,
  suites,
  type InstanceDid,
  type UnsignedEnvelope,
} from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createStranger } from '../integration/stranger.ts'
import { openAttackLab, type AttackLab } from './attack-lab.ts'
import { refusedWith } from './impact.ts'

// Attacks that end at the frame, at its sender's limit or at its one signature: nothing of them is parsed.

const unproven = refusedWith('identity.signature-invalid', 1)
/** Where the parts of a frame with one envelope begin. */
const at = {
  magic: 0,
  version: 4,
  suite: 5,
  count: 6,
  signature: 7,
  header: 71,
  body: 75,
  salt: 79,
  bytes: 95,
} as const

/** A frame with one byte written over. */
function over(bytes: Uint8Array, offset: number, value = (bytes[offset] ?? 0) ^ 0x01): Uint8Array {
  const changed = bytes.slice()
  changed[offset] = value
  return changed
}

/** A whole request of the attacker, with every field that a request may have. */
const wholeRequest = (lab: AttackLab): ReturnType<AttackLab['buying']> =>
  lab.buying(1, {
    contentType: 'application/json',
    onBehalfOf: 'tenant-7',
    labels: ['pii'],
    pathIndex: 3,
    usage: { calls: 1 },
    saga: { id: 's', step: 'a', attempt: 1, epoch: 1, key: 'k', phase: 'do', expiresAtMs: 4_000_000_000_000 },
    crit: ['labels'],
  })

describe('a frame', () => {
  it('forged: signed by another key than the subject names, or by none (T9)', async () => {
    await using lab = await openAttackLab()
    const stranger = createStranger(lab.mesh)
    const byStranger = await stranger.sign({ to: lab.counter.instance, from: lab.desk.instance })
    const asDesk = lab.inbox(lab.desk.instance)
    expect(await lab.attack(() => lab.rogue.publish(asDesk, byStranger))).toEqual(unproven)
    // Zeros are a commitment of small order, which no honest signer makes: that costs no check.
    const unsigned = byStranger.slice()
    unsigned.fill(0, at.signature, at.header)
    expect(await lab.attack(() => lab.rogue.publish(asDesk, unsigned))).toEqual({ ...unproven, checks: 0 })
  })

  it('forged: signed for another purpose, by the right key', async () => {
    await using lab = await openAttackLab()
    const { mesh } = lab
    const signer = createKeySigner(generateSeed(mesh.random))
    const envelope: UnsignedEnvelope = {
      header: new TextEncoder().encode(JSON.stringify({ type: 'request', from: signer.did })),
      body: new Uint8Array(),
      salt: mesh.random.bytes(16),
    }
    const bytes = frameSignedBytes(systemHash, suites.ed25519Sha256, hashEnvelopes(systemHash, [envelope]))
    // As a token nothing is signed that does not start like one, which no frame does.
    const { frame: _frame, jwt: _jwt, ...others } = signingDomains
    for (const domain of Object.values(others)) {
      const frame = encodeFrame(suites.ed25519Sha256, await signer.sign(domain, bytes), [envelope])
      expect(await lab.attack(() => lab.rogue.publish(lab.inbox(signer.did), frame)), domain).toEqual(unproven)
    }
  })

  it('tampered in each field: in the layout no check runs, in what is signed one', async () => {
    await using lab = await openAttackLab()
    const sound = await lab.frame(wholeRequest(lab))
    const { publish } = lab.rogue
    const layout = [
      ['magic', over(sound, at.magic), 'iatp.frame-malformed'],
      ['version', over(sound, at.version, 2), 'iatp.version-unsupported'],
      ['suite', over(sound, at.suite, 2), 'iatp.suite-unsupported'],
      ['no envelopes', over(sound, at.count, 0), 'iatp.frame-malformed'],
      ['one envelope more', over(sound, at.count, 2), 'iatp.frame-malformed'],
      ['a longer header', over(sound, at.header + 3), 'iatp.frame-malformed'],
      ['a huge header', over(sound, at.header, 0xff), 'iatp.frame-oversize'],
      ['a longer body', over(sound, at.body + 3), 'iatp.frame-malformed'],
      ['a huge body', over(sound, at.body, 0xff), 'iatp.frame-oversize'],
      ['a byte more', Buffer.concat([sound, Buffer.of(0)]), 'iatp.frame-malformed'],
      ['a byte less', sound.subarray(0, -1), 'iatp.frame-malformed'],
    ] as const
    for (const [field, bytes, code] of layout)
      expect(await lab.attack(() => publish(lab.inbox(), bytes)), field).toEqual(refusedWith(code, 0))
    const signed = [
      ['the commitment of the signature', over(sound, at.signature)],
      ['the scalar of the signature', over(sound, at.signature + 32)],
      ['salt', over(sound, at.salt)],
      ['body', over(sound, sound.length - 1)],
    ] as const
    for (const [field, bytes] of signed)
      expect(await lab.attack(() => publish(lab.inbox(), bytes)), field).toEqual(unproven)
    // What was tampered with took nothing from the sound one.
    const end = await lab.attack(() => publish(lab.inbox(), sound))
    expect(end).toMatchObject({ delivered: ['buy'], effects: ['sold lamp'], checks: 1 })
  })

  it('tampered in each field: of the header, each fails its proof, and the sound one still runs (T30, T34)', async () => {
    await using lab = await openAttackLab()
    const sound = await lab.frame(wholeRequest(lab))
    const length = new DataView(sound.buffer, sound.byteOffset).getUint32(at.header)
    const text = Buffer.from(sound.subarray(at.bytes, at.bytes + length)).toString('latin1')
    const fields = Object.keys(JSON.parse(text) as object)
    expect(fields.length).toBeGreaterThan(18)
    for (const field of fields) {
      // The last letter or digit of the field's value.
      const next = text.slice(text.indexOf(`"${field}":`)).search(/[}\]"0-9](,"[a-zA-Z]+":|}$)/)
      const value = text.indexOf(`"${field}":`) + field.length + 3
      const last = Math.max(value, text.indexOf(`"${field}":`) + next - 1)
      const changed = over(sound, at.bytes + last)
      expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), changed)), field).toEqual(unproven)
    }
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), sound))).toMatchObject({ delivered: ['buy'] })
  })

  it('re-addressed: under the subject of another sender fails its proof', async () => {
    await using lab = await openAttackLab()
    const sound = await lab.frame(lab.buying(1))
    const asDesk = lab.inbox(lab.desk.instance)
    expect(await lab.attack(() => lab.rogue.publish(asDesk, sound))).toEqual(unproven)
  })

  it('downgraded version or suite: of a frame is refused before it is hashed', async () => {
    await using lab = await openAttackLab()
    const sound = await lab.frame(lab.buying(1))
    for (const [offset, code] of [
      [at.version, 'iatp.version-unsupported'],
      [at.suite, 'iatp.suite-unsupported'],
    ] as const)
      for (const value of [0, 2, 255]) {
        const lowered = over(sound, offset, value)
        expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), lowered))).toEqual(refusedWith(code, 0))
      }
  })

  it('oversize everything: too many envelopes, too long a bundle, header or body cost no check', async () => {
    await using lab = await openAttackLab()
    const envelope = (header: number, body: number): Uint8Array => {
      const bytes = new Uint8Array(24 + header + body)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, header)
      view.setUint32(4, body)
      return bytes
    }
    const signed = await lab.frame(lab.buying(1))
    const framed = (count: number, ...envelopes: readonly Uint8Array[]): Uint8Array =>
      Buffer.concat([over(signed, at.count, count).subarray(0, at.header), ...envelopes])
    const empty = Array.from({ length: 65 }, () => envelope(0, 0))
    const cases = [
      ['65 envelopes', framed(65, ...empty), 'iatp.frame-malformed'],
      ['a bundle', framed(2, envelope(0, limits.bundleBytes), envelope(0, 0)), 'iatp.frame-oversize'],
      ['a header', framed(1, envelope(56 * 1_024 + 1, 0)), 'iatp.frame-oversize'],
      ['a body', framed(1, envelope(0, limits.bodyBytes + 1)), 'iatp.frame-oversize'],
    ] as const
    for (const [what, bytes, code] of cases)
      expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes)), what).toEqual(refusedWith(code, 0))
  })

  it('leaf passed off as node: the root of a bundle proves none of its parts, and a part no bundle (T33)', async () => {
    await using lab = await openAttackLab()
    const [one, two] = [lab.buying(1), lab.buying(2)]
    const pair = await lab.frame(one, two)
    const decoded = decodeFrame(systemHash, pair)
    if (decoded.kind === 'deny') throw new Error(decoded.reason)
    const leaves = decoded.frame.envelopes.map(({ leaf }) => leaf)
    // A header that is the two leaves, as the inner node has them, beside the signature over their parent.
    const pretended = encodeFrame(suites.ed25519Sha256, pair.subarray(at.signature, at.header), [
      { header: Buffer.concat([Buffer.of(1), ...leaves]), body: new Uint8Array(), salt: new Uint8Array(16) },
    ])
    const single = await lab.frame(one)
    const cut = Buffer.concat([
      single.subarray(0, at.signature),
      pair.subarray(at.signature, at.header),
      single.subarray(at.header),
    ])
    const grown = Buffer.concat([
      pair.subarray(0, at.signature),
      single.subarray(at.signature, at.header),
      pair.subarray(at.header),
    ])
    for (const [what, bytes] of Object.entries({ pretended, cut, grown }))
      expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes)), what).toEqual(unproven)
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), pair))).toMatchObject({ delivered: ['buy', 'buy'] })
  })

  it('garbage signature beside a verified root: is checked like any other, and is no evidence (T51)', async () => {
    await using lab = await openAttackLab()
    const sound = await lab.frame(lab.buying(1))
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), sound))).toMatchObject({ delivered: ['buy'] })
    const garbage = sound.slice()
    garbage.set(lab.mesh.random.bytes(64), at.signature)
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), garbage))).toEqual(unproven)
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), sound))).toEqual(refusedWith('iatp.replayed', 1))
  })

  it('small-order key in a DID: proves nothing, whatever it is said to have signed (T31)', async () => {
    await using lab = await openAttackLab()
    const sound = await lab.frame(lab.buying(1))
    // S = 0 and R = the identity: holds for any message under the identity point, if nobody looks at the key.
    const forged = sound.slice()
    forged.fill(0, at.signature, at.header)
    forged[at.signature] = 1
    const identity: InstanceDid = 'did:key:z6MkeXATEjyXENzBXBxgC5EHk2JE5aqd7qMGGtDpLUH1e2Sj'
    for (const bytes of [forged, sound])
      expect(await lab.attack(() => lab.rogue.publish(lab.inbox(identity), bytes))).toEqual({ ...unproven, checks: 0 })
  })

  it('aliased did:key: another spelling of a key is nobody', async () => {
    await using lab = await openAttackLab()
    const sound = await lab.frame(lab.buying(1))
    const token = lab.rogue.did.slice('did:key:'.length)
    for (const alias of [token.toLowerCase(), `${token}1`, `z1${token.slice(1)}`, token.replace('z6Mk', 'z6MK')]) {
      const subject = formatInboxSubject('main', lab.counter.instance, `did:key:${alias}` as InstanceDid)
      expect(await lab.attack(() => lab.rogue.publish(subject, sound)), alias).toEqual({ ...unproven, checks: 0 })
    }
  })
})

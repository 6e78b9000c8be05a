import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createLocalIssuer } from '../issuer/local-issuer.ts'
import { signAdmission, verifyAdmission } from './admission.ts'
import { formatJoinToken, parseJoinToken } from './join-token.ts'

const clock = createManualClock()
const random = createSeededRandom(2)
const acme = createLocalIssuer({ alias: 'acme', clock, random })
const prefix = 'parley-join-1.'

const bodyOf = (text: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(text.slice(prefix.length), 'base64url').toString()) as Record<string, unknown>
const withBody = (body: unknown): string => prefix + Buffer.from(JSON.stringify(body)).toString('base64url')

describe('formatJoinToken', () => {
  it('writes one word that parseJoinToken reads again', async () => {
    const { token } = await acme.joinToken({ name: 'acme/desk', nats: 'nats://broker:4222', mesh: 'blue' })
    const text = formatJoinToken(token)
    expect(text).toMatch(/^parley-join-1\.[\w-]+$/)
    expect(parseJoinToken(text)).toEqual(token)
  })
})

describe('parseJoinToken', () => {
  it('refuses whatever is cut, damaged or of another kind, and repeats none of the secret', async () => {
    const text = formatJoinToken((await acme.joinToken({ name: 'acme/desk' })).token)
    const body = bodyOf(text)
    const wrong = [
      '',
      'parley-join-2.e30',
      prefix,
      text.slice(0, 200),
      withBody([]),
      withBody({ ...body, anchors: [] }),
      withBody({ ...body, issuer: 'nobody' }),
      withBody({ ...body, seed: 'AAAA' }),
      withBody({ ...body, grant: 7 }),
      withBody({ ...body, nats: 4222 }),
      prefix + 'A'.repeat(70_000),
    ]
    const seed = String(body['seed'])
    for (const one of wrong) {
      let told = 'nothing was thrown'
      try {
        parseJoinToken(one)
      } catch (error) {
        told = JSON.stringify(error, Object.getOwnPropertyNames(error))
      }
      expect(told).toContain('identity.join-token-invalid')
      expect(told).not.toContain(seed.slice(0, 16))
    }
    expect(() => parseJoinToken(withBody({ ...body, anchors: [{ alias: 'acme' }] }))).toThrow(/anchor/)
  })
})

describe('verifyAdmission', () => {
  it('takes the instance and its voucher, and refuses another sender, a long life, and a token of another kind', async () => {
    const voucher = createKeySigner(generateSeed(random))
    const { did: instance } = createKeySigner(generateSeed(random))
    const stranger = createKeySigner(generateSeed(random))
    const nowMs = clock.now()
    const token = await signAdmission(voucher, { instance, name: 'acme/desk', method: 'join-token', nowMs })
    expect(verifyAdmission(token, { sender: instance, nowMs })).toMatchObject({
      kind: 'allow',
      admission: { voucher: voucher.did, name: 'acme/desk', method: 'join-token' },
    })
    expect(verifyAdmission(token, { sender: voucher.did, nowMs })).toMatchObject({
      kind: 'allow',
      admission: { instance },
    })
    expect(verifyAdmission(token, { sender: stranger.did, nowMs })).toMatchObject({
      code: 'identity.credential-mismatch',
    })
    expect(verifyAdmission(token, { sender: instance, nowMs: nowMs + 7 * 60_000 })).toMatchObject({
      code: 'identity.jwt-expired',
    })
    const { credential } = await acme.issue({ name: 'acme/desk', instance, serves: [], calls: [] })
    expect(verifyAdmission(credential, { sender: instance, nowMs })).toMatchObject({ code: 'identity.jwt-invalid' })
  })
})

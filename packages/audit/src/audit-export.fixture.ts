import { createPrivateKey, createPublicKey, sign, verify as verifyEd25519, type KeyObject } from 'node:crypto'
import { systemHash, type Signer } from '@parley/ports'
import { createMerkleFrontier, encodeBase64url, hashMerkleLeaf, type SignatureCheck } from '@parley/protocol'
import fc from 'fast-check'
import { formatAuditLine } from './audit-line.ts'
import { formatAuditRecord, firstPrev, type AuditFields } from './audit-record.ts'
import { decodeBase64url } from './base64.ts'
import { signCheckpoint } from './checkpoint.ts'
import { verifyAuditExport, type AuditVerdict } from './verify-audit-export.ts'

// RFC 8032 §7.1, tests 1 and 2.
const seeds = [
  '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
]
export const dids = [
  'did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw',
  'did:key:z6MkiaMbhXHNA4eJVCCj8dbzKzTgYDKf6crKgHVHid1F1WCT',
]
const keys = seeds.map((seed) =>
  createPrivateKey({
    key: Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex'),
    format: 'der',
    type: 'pkcs8',
  }),
)
export const pick = <Value>(values: readonly Value[], index: number): Value => {
  const value = values[index]
  if (value === undefined) throw new RangeError(`nothing at ${index}`)
  return value
}
const separate = (domain: string, bytes: Uint8Array): Uint8Array =>
  Buffer.from([...Buffer.from(`${domain}\0`), ...bytes])
export const signerOf = (index: number): Signer => ({
  did: pick(dids, index),
  sign: async (domain, bytes) => new Uint8Array(sign(null, separate(domain, bytes), pick(keys, index))),
})
const publicKeys = new Map<string, KeyObject>(keys.map((key, index) => [pick(dids, index), createPublicKey(key)]))
export const verify: SignatureCheck = (did, domain, bytes, signature) => {
  const key = publicKeys.get(did)
  return key !== undefined && verifyEd25519(null, separate(domain, bytes), key, signature)
}
export const origin = 'parley/test/acme/desk'
export const utf8 = new TextEncoder()

interface Line {
  readonly text: string
  readonly leaf: string
}

/** Writes lines as a log would, with a checkpoint after each record whose position is in `seals`. */
export async function writeLog(
  count: number,
  seals: ReadonlySet<number>,
  options: { readonly signer?: Signer; readonly openedBy?: string; readonly closes?: boolean } = {},
): Promise<string[]> {
  const { signer = signerOf(0), openedBy = signer.did, closes = false } = options
  const lines: string[] = []
  const frontier = createMerkleFrontier(systemHash)
  let prev = firstPrev
  for (let seq = 1; seq <= count; seq++) {
    const fields: AuditFields =
      seq === 1
        ? { kind: 'lifecycle', event: 'opened', instance: openedBy }
        : seq === count && closes
          ? { kind: 'lifecycle', event: 'closed' }
          : { kind: 'hop', peer: 'acme/planes', capability: 'flights:reserve', outcome: `ok "${seq}" \u001f é` }
    const line = seal(formatAuditRecord({ seq, prev, atMs: 1_000 + seq }, fields))
    prev = line.leaf
    frontier.append(decodeBase64url(prev) ?? new Uint8Array())
    lines.push(formatAuditLine({ kind: 'record', ...line }))
    if (seals.has(seq)) {
      const last = decodeBase64url(prev) ?? new Uint8Array()
      const checkpoint = await signCheckpoint({ origin, size: seq, root: frontier.root(), last }, signer, systemHash)
      lines.push(formatAuditLine({ kind: 'checkpoint', note: checkpoint.note, did: checkpoint.did }))
    }
  }
  return lines
}

export const seal = (text: string): Line => ({
  text,
  leaf: encodeBase64url(hashMerkleLeaf(systemHash, utf8.encode(text))),
})
export const isRecordLine = (line: string): boolean => line.startsWith('{"leaf"')
export const indexOfRecord = (lines: readonly string[], seq: number): number =>
  pick(
    lines.flatMap((line, index) => (isRecordLine(line) ? [index] : [])),
    seq - 1,
  )
export const check = (lines: readonly string[], more: object = {}): AuditVerdict =>
  verifyAuditExport(`${lines.join('\n')}\n`, { verify, ...more })
export const firstBad = (lines: readonly string[], more: object = {}): number | 'ok' => {
  const verdict = check(lines, more)
  return verdict.kind === 'ok' ? 'ok' : verdict.firstBadRecord
}
export const textOf = (line: string): string => JSON.stringify((JSON.parse(line) as { record: unknown }).record)
export const forge = (line: string, change: (text: string) => string): string =>
  formatAuditLine({ kind: 'record', ...seal(change(textOf(line))) })

/** A log of 3 to 40 records with checkpoints after the first, the last and any others, and a record to attack. */
export const logs = fc
  .record({
    count: fc.integer({ min: 3, max: 40 }),
    seals: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
    at: fc.nat(),
    other: fc.nat(),
    byte: fc.nat(),
    mask: fc.integer({ min: 1, max: 127 }),
  })
  .map(({ count, seals, at, other, byte, mask }) => {
    const seq = 1 + (at % count)
    return {
      count,
      seals: new Set([1, count, ...seals.filter((size) => size <= count)]),
      seq,
      other: 1 + ((seq + (other % (count - 1))) % count),
      byte,
      mask,
    }
  })

import {
  encodeBase64url,
  encodeEvidence,
  hasBody,
  isMeshError,
  signatureBytes,
  type Evidence,
  type EvidenceBody,
} from '@parley/protocol'

/** What one side signed, as a journal keeps it: readable, and nothing twice. Its body stands apart. */
export interface SignedLine {
  /**
   * The signed header: its bytes are what `JSON.stringify` makes of it. What the reader has from elsewhere is `#`: the links
   * of a chain that the header names by its hash, and the tokens of the credential.
   */
  readonly header: Readonly<Record<string, unknown>>
  /** Name of the credential that its sender held: see `hashPaper`. */
  readonly credential: string
  /** The commitment to the body, base64url. */
  readonly commitment: string
  /** Suite, leaf count and leaf index (a byte each), signature and inclusion path, base64url. */
  readonly proof: string
}

/** What stands for a text that is kept elsewhere. */
const elsewhere = '#'
const keptElsewhere = ['links', 'handedLinks', 'credential', 'statement'] as const
const hashBytes = 32
const decoder = new TextDecoder()

/** Writes evidence as a line of the journal. */
export function toSignedLine(
  { suite, leafCount, leafIndex, signature, path, header, content }: Evidence,
  credential: string,
  commit: (body: EvidenceBody) => Uint8Array,
): SignedLine {
  const fields = JSON.parse(decoder.decode(header)) as Record<string, unknown>
  for (const name of keptElsewhere) if (fields[name] !== undefined) fields[name] = elsewhere
  const proof = Buffer.concat([Uint8Array.of(suite, leafCount, leafIndex), signature, ...path])
  const commitment = hasBody(content) ? commit(content) : content.commitment
  return {
    header: fields,
    credential,
    commitment: encodeBase64url(commitment),
    proof: proof.toString('base64url'),
  }
}

/** What a line leaves to its reader. */
export interface LineElsewhere {
  readonly credential: string
  readonly statement: string
  /** The links of a chain, by its hash. */
  links(chain: string): readonly string[] | undefined
}

/** Puts evidence together again; undefined where it cannot be any. Nothing of it is believed: that is for `verifyEvidence`. */
export function toEvidence({ header, commitment, proof }: SignedLine, kept: LineElsewhere): Uint8Array | undefined {
  const bytes = Buffer.from(proof, 'base64url')
  const [suite = 0, leafCount = 0, leafIndex = 0] = bytes
  const pathAt = 3 + signatureBytes
  const path: Uint8Array[] = []
  for (let at = pathAt; at < bytes.length; at += hashBytes) path.push(bytes.subarray(at, at + hashBytes))
  // One text has one meaning: what decodes the same but is written otherwise was tampered with.
  if (bytes.toString('base64url') !== proof) return undefined
  const committed = Buffer.from(commitment, 'base64url')
  if (committed.toString('base64url') !== commitment) return undefined
  const whole: Record<string, unknown> = { ...header }
  for (const name of ['credential', 'statement'] as const) if (whole[name] === elsewhere) whole[name] = kept[name]
  if (whole['links'] === elsewhere) whole['links'] = kept.links(String(header['chain']))
  if (whole['handedLinks'] === elsewhere) whole['handedLinks'] = kept.links(String(header['handed']))
  try {
    return encodeEvidence({
      suite,
      leafCount,
      leafIndex,
      signature: bytes.subarray(3, pathAt),
      path,
      header: Buffer.from(JSON.stringify(whole)),
      content: { commitment: committed },
    })
  } catch (error) {
    if (isMeshError(error)) return undefined
    throw error
  }
}

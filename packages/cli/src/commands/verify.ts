import type { Command } from 'commander'
import { verifySignature } from '@parley/identity'
import { systemHash } from '@parley/ports'
import { MeshError, verifyEvidence, type Refusal, type VerifiedEvidence } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { parseLevel } from '../parse-level.ts'
import { printable, printableTime } from '../printable.ts'
import { readBytes } from '../read-file.ts'
import { collect } from '../repeatable.ts'
import { isSagaFile, verifySagaFile, type SagaProofFlags } from '../verify-saga-file.ts'

/** What the command prints with `--json`. */
interface Verdict {
  readonly file: string
  readonly verdict: 'ok' | 'refused'
  readonly [fact: string]: unknown
}

/** Adds `parley verify`. */
export function addVerifyCommand(program: Command, context: CliContext): void {
  program
    .command('verify <file>')
    .description('verify evidence of one envelope, or an exported saga, with nothing but the file and your anchors')
    .option('--anchor <file>', 'for a saga: the anchor.json of an owner whom you accept', collect)
    .option(
      '--assurance <level>',
      'for a saga: how strongly a person who decided must have signed in, 1 to 3',
      parseLevel,
    )
    .option(
      '--decider <file>',
      "for a saga: the anchor.json of an owner besides the saga's whose persons may decide",
      collect,
    )
    .option('--own', "for a saga: take the agent's word about steps that it did itself")
    .option('--head <entries:hash>', 'for a saga: a head that was seen before; the saga must have gone through it')
    .option('--json', 'print the verdict as JSON')
    .action(async (file: string, { json = false, ...flags }: SagaProofFlags & { json?: boolean }) => {
      const bytes = await readBytes(file, maxBytes)
      if (isSagaFile(bytes)) {
        context.end(await verifySagaFile(context, file, bytes, { ...flags, json }))
        return
      }
      const unfit = Object.keys(flags)[0]
      if (unfit !== undefined) throw new MeshError('cli.usage', `--${unfit} is for exported sagas, and ${file} is none`)
      const result = verifyEvidence(systemHash, bytes, verifySignature)
      if (result.kind === 'deny') {
        context.print(json, formatRefused(context, file, result), describeRefused(file, result))
        context.end(exitCodes.no)
        return
      }
      context.print(json, formatVerified(context, file, result.verified), describeVerified(file, result.verified))
    })
}

/** A saga of thousands of steps with their bodies; above it a file is refused, and nothing is read without end. */
const maxBytes = 256 * 1_024 * 1_024

function formatRefused({ paint }: CliContext, file: string, { code, reason }: Refusal): readonly string[] {
  return [`${paint.red('refused')} ${file}: ${code}`, `  ${reason}`]
}

function describeRefused(file: string, { code, reason }: Refusal): Verdict {
  return { file, verdict: 'refused', code, reason }
}

function formatVerified({ paint }: CliContext, file: string, verified: VerifiedEvidence): readonly string[] {
  const { header, leaf, body, evidence } = verified
  const { leafIndex, leafCount } = evidence
  // The header's texts are a stranger's: JSON keeps them from being taken for lines or colours of this program.
  const fields = Object.entries(header).map(([name, value]) => `  ${name}: ${printable(JSON.stringify(value))}`)
  return [
    `${paint.green('ok')} ${file}: a ${header.type}, signed by its sender`,
    `  signed by ${header.from}`,
    `  for ${printable(JSON.stringify(header.to))}, at ${printableTime(header.issuedAtMs)} by the sender's clock`,
    `  leaf ${base64url(leaf)}, ${String(leafIndex + 1)} of ${String(leafCount)} under the signature`,
    body
      ? `  the body is here: ${String(body.length)} bytes, as they were signed`
      : '  the body is not here; its commitment is signed',
    'header',
    ...fields,
  ]
}

function describeVerified(file: string, verified: VerifiedEvidence): Verdict {
  const { header, leaf, commitment, body, evidence } = verified
  return {
    file,
    verdict: 'ok',
    signer: header.from,
    leaf: base64url(leaf),
    commitment: base64url(commitment),
    leafIndex: evidence.leafIndex,
    leafCount: evidence.leafCount,
    hasBody: body !== undefined,
    ...(body ? { bodyBytes: body.length } : {}),
    header,
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

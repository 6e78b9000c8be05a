import { open } from 'node:fs/promises'
import type { Command } from 'commander'
import { verifySignature } from '@parley/identity'
import { systemHash } from '@parley/ports'
import { limits, MeshError, verifyEvidence, type Refusal, type VerifiedEvidence } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'

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
    .description('verify evidence of one envelope: who signed it, for whom, and whether its body is there')
    .option('--json', 'print header and verdict as JSON')
    .action(async (file: string, { json = false }: { json?: boolean }) => {
      const result = verifyEvidence(systemHash, await readBytes(file), verifySignature)
      if (result.kind === 'deny') {
        context.print(json, formatRefused(context, file, result), describeRefused(file, result))
        context.end(exitCodes.no)
        return
      }
      context.print(json, formatVerified(context, file, result.verified), describeVerified(file, result.verified))
    })
}

/** Above the longest evidence that there is; what follows in a file is not looked at, and the whole is refused. */
const maxBytes = 2 * limits.bodyBytes

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    await using opened = await open(file)
    const bytes = new Uint8Array(maxBytes)
    let length = 0
    for (let more = 1; more > 0 && length < maxBytes; length += more)
      more = (await opened.read(bytes, length, maxBytes - length)).bytesRead
    return bytes.subarray(0, length)
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException
    throw new MeshError('cli.usage', `${file} cannot be read (${code})`, { cause })
  }
}

function formatRefused({ paint }: CliContext, file: string, { code, reason }: Refusal): readonly string[] {
  return [`${paint.red('refused')} ${file}: ${code}`, `  ${reason}`]
}

function describeRefused(file: string, { code, reason }: Refusal): Verdict {
  return { file, verdict: 'refused', code, reason }
}

function formatVerified({ paint }: CliContext, file: string, verified: VerifiedEvidence): readonly string[] {
  const { header, leaf, body, evidence } = verified
  const { leafIndex, leafCount } = evidence
  const at = (timeMs: number): string => new Date(timeMs).toISOString()
  // The header's texts are a stranger's: JSON keeps them from being taken for lines or colours of this program.
  const fields = Object.entries(header).map(([name, value]) => `  ${name}: ${escapeControls(JSON.stringify(value))}`)
  return [
    `${paint.green('ok')} ${file}: a ${header.type}, signed by its sender`,
    `  signed by ${header.from}`,
    `  for ${escapeControls(JSON.stringify(header.to))}, at ${isDate(header.issuedAtMs) ? at(header.issuedAtMs) : 'no date'} by the sender's clock`,
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

/** Far enough from what a date can hold. */
const maxDateMs = 8.64e15

function isDate(timeMs: number): boolean {
  return timeMs <= maxDateMs
}

/** JSON leaves DEL, C1 controls and directional marks as they are; a terminal does not. */
function escapeControls(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}]/gu,
    (found) => `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

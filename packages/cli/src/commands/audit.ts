import type { Command } from 'commander'
import { verifyAuditExport, type AuditVerdict } from '@parley/audit'
import { verifySignature } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import { readAuditText } from '../audit-text.ts'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { parseWhole } from '../parse-whole.ts'
import { outText, writeLines, type OutFlags } from '../write-out.ts'

interface VerifyOptions {
  readonly origin?: string
  readonly size?: number
  readonly head?: string
  readonly json?: boolean
}

/** Adds `parley audit verify` and `parley audit export`. */
export function addAuditCommands(program: Command, context: CliContext): void {
  const audit = program.command('audit').description('verify and export the audit log of a node')
  audit
    .command('verify <file>')
    .description('verify an export or a store offline, and name the first bad record')
    .option('--origin <name>', 'the log that it has to be, for instance parley/main/acme/desk')
    .option('--size <records>', 'how many records it has at least', parseWhole)
    .option('--head <size:root>', 'a head that was seen before: the log must have gone through it')
    .option('--json', 'print the verdict as JSON')
    .action(async (file: string, options: VerifyOptions) => {
      context.end(await verifyFile(context, file, options))
    })
  audit
    .command('export')
    .description('write the log of a stopped node as JSON Lines')
    .requiredOption('--data <file>', 'the store of a stopped node')
    .option('--out <file>', outText)
    .option('--json', 'print what was written as JSON; the export itself always is JSON Lines')
    .action(async ({ data, ...flags }: OutFlags & { readonly data: string }) => {
      await writeLines(context, flags, readAuditText(data))
    })
}

async function verifyFile(context: CliContext, file: string, options: VerifyOptions): Promise<number> {
  const segments: string[] = []
  for await (const segment of readAuditText(file)) segments.push(segment)
  const { origin, size, head, json = false } = options
  const verdict = verifyAuditExport(segments.join(''), {
    verify: (did, domain, bytes, signature) => verifySignature(did, domain, bytes, signature),
    ...(origin === undefined ? {} : { expectedOrigin: origin }),
    ...(size === undefined ? {} : { expectedSize: size }),
    ...(head === undefined ? {} : { expectedHead: parseHead(head) }),
  })
  context.print(json, formatVerdict(context, file, verdict), { file, ...verdict })
  return verdict.kind === 'ok' ? exitCodes.ok : exitCodes.no
}

function parseHead(text: string): { readonly size: number; readonly root: string } {
  const [, size, root] = /^(\d+):([A-Za-z0-9+/]{43}=)$/.exec(text) ?? []
  if (size === undefined || root === undefined)
    throw new MeshError('cli.usage', `--head ${text} is not of the form SIZE:ROOT, as audit verify prints it`)
  return { size: Number(size), root }
}

function formatVerdict({ paint }: CliContext, file: string, verdict: AuditVerdict): readonly string[] {
  if (verdict.kind === 'tampered')
    return [
      `${paint.red('tampered')} ${file}: record ${String(verdict.firstBadRecord)} (${verdict.code})`,
      `  ${verdict.reason}; ${String(verdict.proven)} records before it are proven`,
    ]
  const { records, checkpoints, head, signers, unsigned, isClosed } = verdict
  return [
    `${paint.green('ok')} ${file}: ${String(records)} records under ${String(checkpoints)} checkpoints of ${head.origin}`,
    `  head ${String(head.size)}:${head.root}`,
    ...signers.map((did) => `  signed by ${did}`),
    ...(unsigned > 0 ? [paint.yellow(`  ${String(unsigned)} records after it are signed by nobody yet`)] : []),
    ...(isClosed ? [] : [paint.yellow('  the log does not end as a node that was closed ends it')]),
  ]
}

import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AptCandidate } from './apt-candidates.ts'
import { formatDeb822Source } from './apt-sources.ts'
import { runCommand, type CommandResult } from './run-command.ts'

/** How long one step of apt may take: an index has about 10 MB, the package 5 MB. */
const stepTimeoutMs = 120_000

/**
 * Downloads and unpacks the nats-server package of one suite below `workDir`, with apt's own signature check but with
 * lists, cache and state of its own: the machine's package state is neither read nor changed, and root is not needed.
 */
export async function downloadWithApt(
  candidate: AptCandidate,
  workDir: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly path: string } | { readonly problem: string }> {
  const config = join(workDir, 'apt.conf')
  for (const folder of ['lists/partial', 'cache/archives/partial', 'package'])
    await mkdir(join(workDir, folder), { recursive: true })
  // When root runs it, apt gives up its rights for the transfer and must still reach these folders.
  await chmod(workDir, 0o755)
  await writeFile(join(workDir, 'status'), '')
  await writeFile(join(workDir, 'parley.sources'), formatDeb822Source(candidate.source, candidate.suite))
  await writeFile(config, formatAptConfig(workDir))

  const run = (file: string, args: readonly string[]): Promise<CommandResult> =>
    runCommand(file, args, { cwd: workDir, env: { ...env, LC_ALL: 'C' }, timeoutMs: stepTimeoutMs })
  const update = await run('apt-get', ['-c', config, '-q', 'update'])
  if (update.code !== 0) return { problem: `${candidate.suite}: ${describeAptFailure(update.output)}` }
  const download = await run('apt-get', ['-c', config, '-q', 'download', 'nats-server'])
  const deb = (await readdir(workDir)).find((name) => name.endsWith('.deb'))
  if (download.code !== 0 || deb === undefined)
    return { problem: `${candidate.suite}: ${describeAptFailure(download.output)}` }
  const unpack = await run('dpkg', ['-x', deb, 'package'])
  if (unpack.code !== 0) return { problem: `${candidate.suite}: ${describeAptFailure(unpack.output)}` }
  for (const folder of ['usr/sbin', 'usr/bin']) {
    const names = await readdir(join(workDir, 'package', folder)).catch((): string[] => [])
    if (names.includes('nats-server')) return { path: join(workDir, 'package', folder, 'nats-server') }
  }
  return { problem: `${candidate.suite}: the package ${deb} holds no nats-server program` }
}

/** The machine's own proxy, certificate and method settings stay in force; hooks that would touch its state do not. */
function formatAptConfig(workDir: string): string {
  const settings: Readonly<Record<string, string>> = {
    'Dir::Etc::sourcelist': join(workDir, 'parley.sources'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': workDir,
    'Dir::State::lists': join(workDir, 'lists'),
    'Dir::State::status': join(workDir, 'status'),
    'Dir::Cache': join(workDir, 'cache'),
    'Dir::Cache::archives': join(workDir, 'cache/archives'),
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled': 'false',
    'Acquire::AllowInsecureRepositories': 'false',
    'Acquire::AllowWeakRepositories': 'false',
    'Acquire::AllowDowngradeToInsecureRepositories': 'false',
    'APT::Get::AllowUnauthenticated': 'false',
    'APT::Update::Error-Mode': 'any',
  }
  const cleared = ['APT::Update::Pre-Invoke', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success']
  return [
    ...cleared.map((name) => `#clear ${name};`),
    ...Object.entries(settings).map(([name, value]) => `${name} "${value}";`),
    '',
  ].join('\n')
}

function describeAptFailure(output: string): string {
  const lines = output.split('\n').map((line) => line.trim())
  return (
    lines.find((line) => line.startsWith('E:')) ?? lines.findLast((line) => line !== '') ?? 'apt-get could not be run'
  )
}

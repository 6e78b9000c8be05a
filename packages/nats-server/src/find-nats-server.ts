import { constants } from 'node:fs'
import { access, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { MeshError } from '@parley/protocol'
import { listAptCandidates, parseSystemRelease } from './apt-candidates.ts'
import { downloadWithApt } from './apt-download.ts'
import { parseDeb822Sources, parseOneLineSources, type AptSource } from './apt-sources.ts'
import { readBinaryCache, withFetchLock, writeBinaryCache } from './binary-cache.ts'
import { formatInstallAdvice } from './install-advice.ts'
import { probeBinary, type NatsServerBinary } from './nats-server-binary.ts'
import { runCommand } from './run-command.ts'

/** Where to look for a nats-server. */
export interface FindNatsServerOptions {
  /** The environment; `NATS_SERVER` and `PATH` are read, and apt gets the whole of it (for its proxy). */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder that keeps a fetched program. */
  readonly cacheDir: string
  /** Receives a line for a person about each step that takes time. */
  readonly log?: (line: string) => void
}

type Environment = FindNatsServerOptions['env']

/**
 * Finds a nats-server that runs here, or fetches one: `NATS_SERVER`, then `PATH`, then the cache, then the package
 * manager of Debian or Ubuntu (the newest suite whose signed index can be had and whose program starts).
 *
 * `NATS_SERVER` always wins: one that cannot be used is an error, never a reason to take another. Rejects with
 * `nats-server.not-found`, whose message says what to run on this system.
 */
export async function findNatsServer(options: FindNatsServerOptions): Promise<NatsServerBinary> {
  const { env, log = () => {} } = options
  const cacheDir = resolve(options.cacheDir)
  const problems: string[] = []
  const found = await locate(env, cacheDir, problems)
  if (found) return found
  return withFetchLock(cacheDir, async () => {
    const fetched =
      (await readBinaryCache(cacheDir)) ??
      (await fetchWithApt(cacheDir, env, log, problems)) ??
      (await installWithApt(env, log, problems))
    if (fetched) return fetched
    throw new MeshError(
      'nats-server.not-found',
      [
        'No nats-server was found and none could be fetched.',
        ...problems.map((problem) => `- ${problem}`),
        'To get one:',
      ]
        .concat(formatInstallAdvice(process.platform))
        .join('\n'),
      { details: { problems } },
    )
  })
}

/**
 * Finds a nats-server that is already on this machine, as `findNatsServer` does before it fetches; undefined if there is
 * none. Changes nothing. Rejects with `nats-server.not-found` for a `NATS_SERVER` that cannot be used.
 */
export async function locateNatsServer(
  options: Pick<FindNatsServerOptions, 'env' | 'cacheDir'>,
): Promise<NatsServerBinary | undefined> {
  return locate(options.env, resolve(options.cacheDir), [])
}

async function locate(env: Environment, cacheDir: string, problems: string[]): Promise<NatsServerBinary | undefined> {
  if (env['NATS_SERVER'] !== undefined && env['NATS_SERVER'] !== '') return probeChosen(env['NATS_SERVER'])
  return (await findOnPath(env, 'PATH', problems)) ?? (await readBinaryCache(cacheDir))
}

async function probeChosen(path: string): Promise<NatsServerBinary> {
  const probed = await probeBinary(resolve(path), 'NATS_SERVER')
  if ('binary' in probed) return probed.binary
  throw new MeshError(
    'nats-server.not-found',
    `NATS_SERVER names a program that cannot be used: ${probed.problem}. Correct NATS_SERVER or unset it.`,
  )
}

async function findOnPath(
  env: Environment,
  source: 'PATH' | 'apt-install',
  problems: string[],
): Promise<NatsServerBinary | undefined> {
  // Debian keeps servers in /usr/sbin, which the PATH of a plain user lacks.
  const folders = [...(env['PATH'] ?? '').split(delimiter), ...(process.platform === 'linux' ? ['/usr/sbin'] : [])]
  const program = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server'
  for (const folder of new Set(folders.filter((name) => name !== ''))) {
    const path = resolve(folder, program)
    if (!(await isProgram(path))) continue
    const probed = await probeBinary(path, source)
    if ('binary' in probed) return probed.binary
    problems.push(probed.problem)
  }
  return undefined
}

async function fetchWithApt(
  cacheDir: string,
  env: Environment,
  log: (line: string) => void,
  problems: string[],
): Promise<NatsServerBinary | undefined> {
  if (process.platform !== 'linux') return undefined
  const release = parseSystemRelease(await readText('/etc/os-release'))
  const candidates = listAptCandidates(release, await readAptSources('/etc/apt'))
  if (candidates.length === 0)
    problems.push(`this system (${release.id}) has no archive that is known to carry nats-server`)
  for (const candidate of candidates) {
    log(`fetching nats-server from ${candidate.suite} with apt-get`)
    const workDir = await mkdtemp(join(tmpdir(), 'parley-apt-'))
    try {
      const downloaded = await downloadWithApt(candidate, workDir, env)
      const probed = 'path' in downloaded ? await probeBinary(downloaded.path, 'apt-download') : downloaded
      if ('binary' in probed) {
        const binary = await writeBinaryCache(cacheDir, probed.binary)
        log(`nats-server ${binary.version} is in ${cacheDir}`)
        return { ...binary, warnings: [...binary.warnings, ...problems] }
      }
      log(probed.problem)
      problems.push(probed.problem)
    } finally {
      await rm(workDir, { recursive: true, force: true })
    }
  }
  return undefined
}

async function installWithApt(
  env: Environment,
  log: (line: string) => void,
  problems: string[],
): Promise<NatsServerBinary | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  log('installing nats-server with apt-get')
  for (const args of [
    ['-q', 'update'],
    ['-q', '-y', '--no-install-recommends', 'install', 'nats-server'],
  ]) {
    const result = await runCommand('apt-get', args, {
      env: { ...env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
      timeoutMs: 300_000,
    })
    const last = result.output.trim().split('\n').at(-1) ?? ''
    if (result.code !== 0) problems.push(`apt-get ${args.join(' ')}: ${last}`)
  }
  const binary = await findOnPath(env, 'apt-install', problems)
  return binary && { ...binary, warnings: [...binary.warnings, ...problems] }
}

/** Reads every archive that apt of this machine is set up with. */
async function readAptSources(folder: string): Promise<readonly AptSource[]> {
  const names = await readdir(join(folder, 'sources.list.d')).catch((): string[] => [])
  const sources = [...parseOneLineSources(await readText(join(folder, 'sources.list')))]
  for (const name of names.sort()) {
    const path = join(folder, 'sources.list.d', name)
    if (name.endsWith('.list')) sources.push(...parseOneLineSources(await readText(path)))
    if (name.endsWith('.sources')) sources.push(...parseDeb822Sources(await readText(path)))
  }
  return sources
}

/** Reads a file that need not exist or be readable: what cannot be read names no archive. */
async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

async function isProgram(path: string): Promise<boolean> {
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
  return executable && (await stat(path)).isFile()
}

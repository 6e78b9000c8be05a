import type { AptSource } from './apt-sources.ts'

/** One place from which nats-server may be had: an archive of this machine and a suite of it. */
export interface AptCandidate {
  readonly source: AptSource
  readonly suite: string
}

/** What /etc/os-release says. */
export interface SystemRelease {
  /** For instance `debian` or `ubuntu`. */
  readonly id: string
  /** For instance `bookworm`; absent on Debian testing and unstable. */
  readonly codename?: string
}

/** The suites of Debian that carry nats-server, newest first. */
const debianSuites = ['sid', 'trixie', 'bookworm']

/** Reads `ID` and `VERSION_CODENAME` (os-release(5)). */
export function parseSystemRelease(text: string): SystemRelease {
  const value = (name: string): string | undefined =>
    new RegExp(`^${name}=["']?([^"'\\n]*)`, 'm').exec(text)?.[1]?.trim()
  const codename = value('VERSION_CODENAME')
  return { id: value('ID') ?? 'unknown', ...(codename ? { codename } : {}) }
}

/**
 * Lists where to look, the newest suite first and the machine's own suite last. Only the distribution's own archive is
 * taken, with the keys that the machine already trusts for it. On Ubuntu only its own suite; elsewhere nothing.
 */
export function listAptCandidates(release: SystemRelease, sources: readonly AptSource[]): readonly AptCandidate[] {
  const archives = findArchives(release, sources)
  if (release.id === 'debian') {
    const own = release.codename
    const suites = own === undefined || debianSuites.includes(own) ? debianSuites : [...debianSuites, own]
    return suites.flatMap((suite) => archives.map((source) => ({ source: { ...source, components: ['main'] }, suite })))
  }
  const suite = release.codename
  if (release.id !== 'ubuntu' || suite === undefined) return []
  return archives.map((source) => ({ source: { ...source, components: ['main', 'universe'] }, suite }))
}

/** The distribution's archive serves the machine's own suite and, which sets it apart from others' archives, its updates. */
function findArchives(release: SystemRelease, sources: readonly AptSource[]): readonly AptSource[] {
  const byUri = new Map<string, AptSource>()
  const isOwn = (uri: string): boolean => uri.replace(/\/+$/, '').endsWith(`/${release.id}`)
  const serves = (uri: string, suite: string): boolean =>
    sources.some((source) => source.uri === uri && source.suites.includes(suite))
  for (const source of sources) {
    const { codename } = release
    const hasOwnSuites =
      codename !== undefined && serves(source.uri, codename) && serves(source.uri, `${codename}-updates`)
    if ((hasOwnSuites || isOwn(source.uri)) && !byUri.has(source.uri)) byUri.set(source.uri, source)
  }
  return [...byUri.values()].sort((left, right) => Number(isOwn(right.uri)) - Number(isOwn(left.uri)))
}

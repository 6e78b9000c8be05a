/** One archive that the machine's apt uses, without what would weaken its signature check. */
export interface AptSource {
  readonly uri: string
  readonly suites: readonly string[]
  readonly components: readonly string[]
  /** The `Signed-By` value: keyring paths, fingerprints or an embedded key; without it apt's own trusted keys count. */
  readonly signedBy?: string
}

/** Reads a one-line-style file (`/etc/apt/sources.list`, `*.list`; sources.list(5)). Unreadable lines are skipped. */
export function parseOneLineSources(text: string): readonly AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line)
    const [, options = '', uri, suite, components = ''] = match ?? []
    if (uri === undefined || suite === undefined) return []
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1]?.replaceAll(',', ' ')
    const source = { uri, suites: [suite], components: splitWords(components) }
    return [signedBy === undefined ? source : { ...source, signedBy }]
  })
}

/** Reads a deb822-style file (`*.sources`; sources.list(5)): one source for each of its URIs. Disabled ones are skipped. */
export function parseDeb822Sources(text: string): readonly AptSource[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = parseFields(stanza)
    if (!splitWords(fields.get('types') ?? '').includes('deb')) return []
    if (/^(?:no|false|without|off|disable|0)$/i.test(fields.get('enabled') ?? '')) return []
    const suites = splitWords(fields.get('suites') ?? '')
    const components = splitWords(fields.get('components') ?? '')
    const signedBy = fields.get('signed-by')
    return splitWords(fields.get('uris') ?? '').map((uri) =>
      signedBy === undefined ? { uri, suites, components } : { uri, suites, components, signedBy },
    )
  })
}

/** Writes a source with one suite as a deb822 stanza. */
export function formatDeb822Source(source: AptSource, suite: string): string {
  const lines = ['Types: deb', `URIs: ${source.uri}`, `Suites: ${suite}`, `Components: ${source.components.join(' ')}`]
  if (source.signedBy !== undefined) lines.push(`Signed-By: ${source.signedBy}`)
  return `${lines.join('\n')}\n`
}

function parseFields(stanza: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  let name: string | undefined
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue
    const start = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line)
    if (start?.[1] !== undefined) {
      name = start[1].toLowerCase()
      fields.set(name, (start[2] ?? '').trim())
    } else if (name !== undefined && /^\s/.test(line)) {
      // A folded line keeps its newline: an embedded key needs it.
      fields.set(name, `${fields.get(name) ?? ''}\n${line.trimEnd()}`)
    }
  }
  return fields
}

function splitWords(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

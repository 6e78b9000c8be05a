/** What the written configuration of a server says. */
export interface ServerConfig {
  readonly host: string
  /** -1 lets the server choose a free port. */
  readonly port: number
  /** The folder into which the server writes the ports that it chose. */
  readonly portsDir: string
  readonly jetstream: { readonly storeDir: string; readonly syncAlways: boolean } | undefined
  /** More lines of configuration, for instance users and permissions. */
  readonly extra: string
}

/** Writes a configuration file for nats-server. A JSON string is a valid string of its configuration language. */
export function formatServerConfig({ host, port, portsDir, jetstream, extra }: ServerConfig): string {
  const lines = [`host: ${JSON.stringify(host)}`, `port: ${port}`, `ports_file_dir: ${JSON.stringify(portsDir)}`]
  if (jetstream) {
    lines.push('jetstream {', `  store_dir: ${JSON.stringify(jetstream.storeDir)}`)
    if (jetstream.syncAlways) lines.push('  sync_interval: always')
    lines.push('}')
  }
  return `${lines.join('\n')}\n${extra}\n`
}

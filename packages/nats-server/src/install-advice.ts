/** Says in a few lines what a person can do on this system to get a nats-server. */
export function formatInstallAdvice(platform: NodeJS.Platform): string {
  const ways: Partial<Record<NodeJS.Platform, readonly string[]>> = {
    darwin: ['brew install nats-server'],
    linux: [
      'sudo apt-get install nats-server        (Debian, Ubuntu)',
      'apk add nats-server                     (Alpine)',
    ],
    win32: ['choco install nats-server'],
  }
  return [
    ...(ways[platform] ?? []),
    'docker create --name nats nats:2 && docker cp nats:/nats-server . && docker rm nats',
    'or unpack the archive for this system from the releases page of the nats-io/nats-server project',
    'then put nats-server on the PATH or set NATS_SERVER=/path/to/nats-server',
  ]
    .map((line) => `  ${line}`)
    .join('\n')
}

import { createRequire } from 'node:module'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findFreePort } from './free-port.ts'
import { startServer } from './start-server.ts'

/** Where a Restate server listens. */
export interface RestateAddress {
  readonly ingress: string
  readonly admin: string
  /** The node itself, which tells its metrics. */
  readonly node: string
}

/** A Restate server with its default configuration, which syncs its log. */
export interface RunningRestate extends AsyncDisposable {
  readonly address: RestateAddress
}

/** Starts a Restate server of the installed peers on loopback; its data is in `dir`. */
export async function startRestate(peers: string, dir: string): Promise<RunningRestate> {
  const [ingress, admin, node] = [await findFreePort(), await findFreePort(), await findFreePort()]
  const url = (port: number): string => `http://127.0.0.1:${String(port)}`
  const address = { ingress: url(ingress), admin: url(admin), node: url(node) }
  const data = join(dir, 'restate')
  await mkdir(data, { recursive: true })
  const server = startServer(findBinary(peers), ['--base-dir', data, '--no-logo'], {
    cwd: data,
    env: {
      RESTATE_BIND_ADDRESS: `127.0.0.1:${String(node)}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${String(admin)}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${String(ingress)}`,
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LOG_FILTER: 'error',
    },
  })
  await server.until(async () => {
    const answers = await Promise.all(
      [`${address.admin}/health`, `${address.ingress}/restate/health`].map((at) => fetch(at)),
    )
    return answers.every(({ ok }) => ok)
  })
  return { address, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** The package of this platform holds the binary; the one that a user installs finds it. */
function findBinary(peers: string): string {
  const { resolve } = createRequire(join(peers, 'package.json'))
  const main = createRequire(resolve('@restatedev/restate-server/package.json'))
  const platform = `@restatedev/restate-server-${process.platform}-${process.arch}`
  return join(dirname(main.resolve(`${platform}/package.json`)), 'bin/restate-server')
}

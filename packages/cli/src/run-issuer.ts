import { openFileIssuer, readOrders } from '@parley/identity'
import { createIssuerNode } from '@parley/mesh'
import type { LogFields, Logger } from '@parley/ports'
import { findBroker, type BrokerFlags } from './broker-options.ts'
import type { CliContext } from './cli-context.ts'
import { exitCodes } from './exit-code.ts'
import { watchInterruption } from './interruption.ts'
import { issuerFolder } from './issuer-folder.ts'
import { openFence } from './open-fence.ts'
import { readAnchors } from './read-anchor.ts'

/** What `parley issuer run` is told. */
export interface IssuerRun extends BrokerFlags {
  readonly data: string
  readonly anchor?: readonly string[]
  readonly life?: number
  readonly grace?: number
  readonly rejoin?: number
  readonly natsAccount?: string
  readonly json?: boolean
}

/** Serves an issuer's folder on the mesh until a signal comes, then lets what is in flight end. Resolves with the exit code. */
export async function runIssuer(context: CliContext, dir: string, flags: IssuerRun): Promise<number> {
  const { data, mesh, life, grace, rejoin, json = false } = flags
  const nats = findBroker(context, flags)
  const folder = issuerFolder(dir, context)
  const fence = await openFence(context, dir, flags.natsAccount)
  const terms = life === undefined ? {} : { credentialMs: life }
  const issuer = await openFileIssuer({ ...folder, ...terms, ...fence.issuer })
  const others = await readAnchors(flags.anchor ?? [])
  const interruption = watchInterruption()
  try {
    await using node = await createIssuerNode({
      issuer,
      anchors: [issuer.anchor, ...others],
      orders: await readOrders(folder),
      nats,
      data,
      logger: createLogger(context, json),
      ...(mesh === undefined ? {} : { mesh }),
      ...(grace === undefined ? {} : { renewGraceMs: grace }),
      ...(rejoin === undefined ? {} : { rejoinMs: rejoin }),
      ...fence.node,
    })
    await node.start()
    const { name, instance, owner } = node
    context.print(json, [`${name} issues ${issuer.anchor.issues.join(', ')} as ${instance}`], {
      event: 'issuer.ready',
      name,
      instance,
      owner,
    })
    await interruption.interrupted
    await node.drain()
    return exitCodes.ok
  } finally {
    interruption.stop()
  }
}

/** Prints what the issuer gives and refuses; what a node says to debuggers is left out. */
function createLogger(context: CliContext, json: boolean): Logger {
  const write = (event: string, fields: LogFields = {}): void => {
    const told = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`)
    context.print(json, [`${event} ${told.join(' ')}`], { event, ...fields })
  }
  return { debug: () => undefined, info: write, warn: write, error: write }
}

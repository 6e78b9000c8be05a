import type { InstanceKeys } from '@parley/identity'
import type { Logger, Transport } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { connectNats, type NatsOptions, type NatsTransport } from '@parley/transport-nats'
import { isMeshJoin, type NodeOptions } from './node-options.ts'
import type { OwnCredential } from './own-credential.ts'

/** The bus of a node, and the same as NATS where it is one that the node connected to itself. */
export interface Bus {
  readonly transport: Transport
  readonly nats?: NatsTransport
}

/**
 * Tells the key that a node logs in to a broker with: its own, unless the options say how to log in. A node without a
 * broker of its own choice has none.
 */
export function loginKeyOf({ nats, transport }: NodeOptions, keys: InstanceKeys): string | undefined {
  if (transport || nats === undefined) return undefined
  const { nkey, user, token } = typeof nats === 'string' ? ({} as Partial<NatsOptions>) : nats
  return nkey === undefined && user === undefined && token === undefined ? keys.nkey.nkey : undefined
}

/**
 * Connects a node to its bus. Where the issuer gave a user token, the node logs in with it and moves to the next one as soon
 * as its credential is renewed, long before the server would end the connection. A newcomer has no token yet: the broker has to
 * list its key, or let it in without. Rejects as `connectNats` does.
 */
export async function connectBus(
  options: NodeOptions,
  own: Pick<OwnCredential, 'issued' | 'isProvisional' | 'onRenewed'>,
  keys: InstanceKeys,
  logger: Logger,
): Promise<Bus> {
  const { transport, nats, issuer } = options
  if (transport) return { transport }
  if (nats === undefined) {
    if (!isMeshJoin(issuer) && issuer.connect) return { transport: issuer.connect() }
    throw new MeshError('mesh.config-invalid', 'nats: is missing; this issuer brings no in-process bus')
  }
  const asked = typeof nats === 'string' ? { servers: nats } : nats
  if (loginKeyOf(options, keys) === undefined) return toBus(await connectNats(asked))
  if (own.isProvisional() || own.issued().natsUser === undefined)
    // Keys that were made beforehand are listed by the broker; fresh ones it cannot know.
    return toBus(await connectNats(options.keys ? { ...asked, nkey: keys.nkey.seed } : asked))
  const jwt = (): string => own.issued().natsUser ?? ''
  const connected = await connectNats({ ...asked, nkey: keys.nkey.seed, jwt })
  own.onRenewed(() => {
    connected.renew().catch((error: unknown) => {
      // The client logs in again by itself, with the new token, once the server ends the old connection.
      const message = error instanceof Error ? error.message : 'not an error'
      logger.warn('transport.renewal-failed', { error: message })
    })
  })
  return toBus(connected)
}

function toBus(nats: NatsTransport): Bus {
  return { transport: nats, nats }
}

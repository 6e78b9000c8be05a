import { createWebResolver, refreshAnchors, resolveAnchors, type Anchor, type Anchors } from '@parley/identity'
import { createSystemClock, type CancelTimer, type Clock, type Logger } from '@parley/ports'
import { listAnchors, type DidResolver, type NodeOptions } from '../node/node-options.ts'

/** How often the keys of did:web owners are asked for again, in milliseconds. */
const refreshMs = 3_600_000

/**
 * Fetches the keys of did:web anchors that came without, so that no call ever waits for a web server. Returns the options
 * with anchors that can be used, and the resolver if there is something to refresh. Rejects as `resolveAnchors` does.
 */
export async function resolveOptions(
  options: NodeOptions,
): Promise<{ readonly options: NodeOptions; readonly resolver?: DidResolver }> {
  const listed = listAnchors(options)
  if (!listed.some(isUnresolved)) return options.didResolver ? { options, resolver: options.didResolver } : { options }
  const resolver = options.didResolver ?? createWebResolver({ clock: options.clock ?? createSystemClock() })
  const anchors = await Promise.all(
    listed.map(async (anchor) =>
      isUnresolved(anchor) ? ((await resolveAnchors([anchor], resolver))[0] ?? anchor) : anchor,
    ),
  )
  return { options: { ...options, anchors }, resolver }
}

/** Asks for the keys of did:web owners again every hour. What fails leaves the held keys in use and is logged. */
export function keepAnchorsFresh(parts: {
  readonly anchors: Anchors
  readonly resolver: DidResolver
  readonly clock: Clock
  readonly logger: Logger
}): CancelTimer {
  const { anchors, resolver, clock, logger } = parts
  let isStopped = false
  let cancelTimer: CancelTimer = () => undefined
  const refresh = async (): Promise<void> => {
    for (const { owner, error } of await refreshAnchors(anchors, resolver))
      logger.warn('identity.anchor-not-refreshed', { owner, error: error instanceof Error ? error.message : 'unknown' })
    wait()
  }
  const wait = (): void => {
    if (!isStopped) cancelTimer = clock.setTimer(() => void refresh(), refreshMs)
  }
  wait()
  return () => {
    isStopped = true
    cancelTimer()
  }
}

function isUnresolved({ owner, keySet }: Anchor): boolean {
  return owner.startsWith('did:web:') && keySet === undefined
}

import type { Logger, Store } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { Reliability } from '@parley/reliability'

const key = 'reliability/breakers'

/** Opens the breakers that were open when the node stopped. Rejects with `store.corrupt` for a state that is none. */
export async function restoreBreakers(store: Store, reliability: Reliability): Promise<void> {
  const entry = await store.keyValue.get(key)
  if (entry) reliability.importState(parseState(entry.value))
}

/** Keeps the breakers that are not closed, so that a restart does not close them. Losing one only costs a probe. */
export function rememberBreakers(store: Store, reliability: Reliability, logger: Logger): void {
  store.keyValue
    .put(key, new TextEncoder().encode(JSON.stringify(reliability.exportState())))
    .catch((error: unknown) => {
      logger.warn('breaker.not-kept', { error: error instanceof Error ? error.message : 'not an error' })
    })
}

function parseState(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new MeshError('store.corrupt', `the store's ${key} is not JSON: delete it, breakers then start closed`, {
      cause,
    })
  }
}

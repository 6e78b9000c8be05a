import type { KeyValue, Random } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'

/**
 * One data key for each saga, by the name of its stream. Whoever destroys it has erased the bodies of the saga, wherever copies
 * of its journal are, and the chain stays checkable. Keys may be kept anywhere; a copy that outlives its destruction undoes it.
 */
export interface DataKeys {
  /** Returns the key of a saga, 32 bytes; undefined where there is none, or none any more. */
  read(stream: string): Promise<Uint8Array | undefined>
  /** Returns the key of a saga; a new one, durable by then, where there was none. */
  make(stream: string): Promise<Uint8Array>
  /** Destroys the key of a saga, for good. Does nothing where there is none. */
  destroy(stream: string): Promise<void>
}

/** Bytes of a data key: AES-256. */
export const dataKeyBytes = 32

/**
 * Keeps data keys beside the journals. What is erased is then erased from this store, as far as the store forgets what it
 * deletes; backups of it keep keys and bodies together, so give keys a place of their own where that matters.
 */
export function createStoredDataKeys(keyValue: KeyValue, random: Random): DataKeys {
  const nameOf = (stream: string): string => stream.replace(/^saga\//, 'saga-secret/')
  const read = async (stream: string): Promise<Uint8Array | undefined> => (await keyValue.get(nameOf(stream)))?.value
  return {
    read,
    async make(stream) {
      const known = await read(stream)
      if (known) return known
      try {
        const key = random.bytes(dataKeyBytes)
        await keyValue.put(nameOf(stream), key, 0)
        return key
      } catch (error) {
        const made = isMeshError(error) && error.code === 'store.revision-conflict' ? await read(stream) : undefined
        if (made) return made
        throw error
      }
    },
    destroy: (stream) => keyValue.delete(nameOf(stream)),
  }
}

/** Throws `saga.bodies-erased` for a saga whose key is gone. */
export function describeErased(stream: string): MeshError {
  return new MeshError(
    'saga.bodies-erased',
    `the bodies of ${stream} cannot be read: their key was destroyed, or is not given to this process`,
  )
}

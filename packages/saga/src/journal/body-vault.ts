import { systemHash, type KeyValue } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { closeBox, openBox } from './body-box.ts'
import { dataKeyBytes, describeErased, type DataKeys } from './data-keys.ts'
import { isBodyPath, putBodies, takeBodies } from './event-bodies.ts'

// I1 A body is durable before the entry that refers to it, and is what the entry says by its hash.
// I2 With a data key no body is written in the clear, however small.
// I3 A body that is missing is an error, unless its key is: then it was erased, and that is said.

/** A body above this many bytes is stored once, by its hash; a smaller one stands in its entry. */
export const maxInlineBytes = 4_096

/** Where a body is that does not stand in its event. */
export type BodyRef =
  /** In the store, under its hash (base64url SHA-256), in a box where there is a key. */
  | { readonly hash: string; readonly boxed?: true }
  /** Here, in a box, base64url. */
  | { readonly box: string }

/** By path in the event. */
export type BodyRefs = Readonly<Record<string, BodyRef>>

/** An event as it is written: bodies that do not stand in it are referred to. */
export interface StoredEvent {
  readonly event: SagaEvent
  readonly bodies?: BodyRefs
}

/** Keeps the bodies of one saga that do not stand in its journal. */
export interface BodyVault {
  /** Puts bodies away that are large, or to be in a box. Rejects with `saga.bodies-erased` where the saga's key is gone. */
  store(events: readonly SagaEvent[], isNew: boolean): Promise<readonly StoredEvent[]>
  /** Puts bodies back; `erased` lists the paths of those that cannot be read any more. */
  restore(stored: StoredEvent): Promise<{ readonly event: SagaEvent; readonly erased: readonly string[] }>
  /** Destroys the key, and removes what is stored. */
  erase(): Promise<void>
}

/** What a vault keeps bodies with. */
export interface VaultOptions {
  readonly keyValue: KeyValue
  readonly dataKeys?: DataKeys
  /** New sagas get a key. */
  readonly makesKeys?: boolean
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Names the prefix of the bodies of one saga. */
export function formatBodyPrefix(stream: string): string {
  return `${stream.replace(/^saga\//, 'saga-body/')}/`
}

/** Opens the vault of the saga of a stream. */
export function openBodyVault(stream: string, { keyValue, dataKeys, makesKeys = false }: VaultOptions): BodyVault {
  const prefix = formatBodyPrefix(stream)
  const written = new Set<string>()
  let key: Promise<Uint8Array | undefined> | undefined
  let hasBoxes = false

  const readKey = (isNew: boolean): Promise<Uint8Array | undefined> => {
    key ??= (async () => {
      const found = isNew && makesKeys ? await dataKeys?.make(stream) : await dataKeys?.read(stream)
      if (found && found.length !== dataKeyBytes)
        throw new TypeError(`a data key has ${dataKeyBytes} bytes, not ${found.length}`)
      return found
    })()
    return key
  }
  const put = async (bytes: Uint8Array): Promise<string> => {
    const hash = Buffer.from(systemHash(bytes)).toString('base64url')
    if (!written.has(hash) && !(await keyValue.get(`${prefix}${hash}`))) await keyValue.put(`${prefix}${hash}`, bytes)
    written.add(hash)
    return hash
  }
  const storeBody = async (body: unknown, boxKey: Uint8Array | undefined): Promise<BodyRef | undefined> => {
    const bytes = encoder.encode(JSON.stringify(body))
    if (!boxKey) return bytes.length > maxInlineBytes ? { hash: await put(bytes) } : undefined
    const box = closeBox(boxKey, stream, bytes)
    if (box.length > maxInlineBytes) return { hash: await put(box), boxed: true }
    return { box: Buffer.from(box).toString('base64url') }
  }
  const storeEvent = async (event: SagaEvent, boxKey: Uint8Array | undefined): Promise<StoredEvent> => {
    const taken = takeBodies(event)
    const inline: Record<string, unknown> = {}
    const bodies: Record<string, BodyRef> = {}
    for (const [path, body] of Object.entries(taken.bodies ?? {})) {
      const ref = await storeBody(body, boxKey)
      if (ref) bodies[path] = ref
      else inline[path] = body
    }
    if (Object.keys(bodies).length === 0) return { event }
    return { event: putBodies(taken.event, inline), bodies }
  }
  /** Returns a body; undefined where its key is gone. */
  const restoreBody = async (ref: BodyRef): Promise<{ readonly body: unknown } | undefined> => {
    const isBoxed = 'box' in ref || ref.boxed === true
    const boxKey = isBoxed ? await readKey(false) : undefined
    hasBoxes ||= isBoxed
    if (isBoxed && !boxKey) return undefined
    const bytes = 'box' in ref ? Buffer.from(ref.box, 'base64url') : await fetchBody(ref.hash)
    const opened = boxKey ? openBox(boxKey, stream, bytes) : bytes
    if (!opened) throw corrupt('is not what its key encloses')
    return { body: JSON.parse(decoder.decode(opened)) as unknown }
  }
  const fetchBody = async (hash: string): Promise<Uint8Array> => {
    const found = await keyValue.get(`${prefix}${hash}`)
    if (!found) throw corrupt(`${hash} is missing`)
    if (Buffer.from(systemHash(found.value)).toString('base64url') !== hash) throw corrupt(`${hash} was changed`)
    return found.value
  }
  const corrupt = (problem: string): MeshError =>
    new MeshError('saga.journal-corrupt', `a body of ${stream} ${problem}: restore the store from a backup`)

  return {
    async store(events, isNew) {
      const boxKey = dataKeys ? await readKey(isNew) : undefined
      if (hasBoxes && !boxKey) throw describeErased(stream)
      const stored: StoredEvent[] = []
      for (const event of events) stored.push(await storeEvent(event, boxKey))
      return stored
    },
    async restore({ event, bodies = {} }) {
      const restored: Record<string, unknown> = {}
      const erased: string[] = []
      for (const [path, ref] of Object.entries(bodies)) {
        if (!isBodyPath(event.type, path)) throw corrupt(`is said to be at "${path}"`)
        const found = await restoreBody(ref)
        if (found) restored[path] = found.body
        else erased.push(path)
      }
      return { event: putBodies(event, restored), erased }
    },
    async erase() {
      await dataKeys?.destroy(stream)
      key = Promise.resolve(undefined)
      for (const { key: name } of await keyValue.list(prefix)) await keyValue.delete(name)
    },
  }
}

import { Gunzip } from 'fflate'
import { parseTar } from 'nanotar'
import type { RegoSource } from './rego-source.ts'

/** The largest source, in bytes; unpacked it may be four times as large. */
const maxSourceBytes: number = 8 * 1024 * 1024

const maxUnpackedBytes = 4 * maxSourceBytes
const sliceBytes = 16 * 1024

/** What a bundle holds that decides. */
export interface RegoBundle {
  readonly wasm: Uint8Array<ArrayBuffer>
  /** The document `data`, without what its rules add. */
  readonly data: object
}

/** Says why a source is no bundle. */
export class BundleFault extends Error {}

/**
 * Reads a bundle, or a module alone. Throws `BundleFault` for what is neither, too large unpacked, or has no module or more
 * than one. Signatures of bundles are not looked at: a policy set is signed as a whole.
 */
export function readRegoBundle({ bytes }: RegoSource): RegoBundle {
  if (bytes.byteLength > maxSourceBytes) {
    throw new BundleFault(`the bundle is larger than ${String(maxSourceBytes)} bytes`)
  }
  if (isWasm(bytes)) return { wasm: new Uint8Array(bytes), data: {} }
  const files = readArchive(isGzip(bytes) ? gunzip(bytes) : new Uint8Array(bytes))
  const modules = files.filter(({ name }) => name.endsWith('.wasm'))
  const [module] = modules
  if (module === undefined || modules.length > 1) {
    throw new BundleFault(`the bundle holds ${String(modules.length)} modules (.wasm), not one: build it with -t wasm`)
  }
  const data = files.filter(({ name }) => /(?:^|\/)data\.(?:json|ya?ml)$/.test(name))
  const nested = data.find(({ name }) => name !== 'data.json')
  if (nested !== undefined)
    throw new BundleFault(`the data of ${nested.name} is refused: opa build puts all into /data.json`)
  return { wasm: module.bytes, data: parseData(data[0]?.bytes) }
}

function parseData(bytes: Uint8Array | undefined): object {
  if (bytes === undefined) return {}
  let data: unknown
  try {
    data = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new BundleFault('data.json of the bundle is not JSON', { cause: error })
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new BundleFault('data.json is not an object')
  return data
}

function readArchive(
  bytes: Uint8Array<ArrayBuffer>,
): readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[] {
  try {
    // nanotar reads the whole buffer below a view, so it gets one of its own.
    return parseTar(bytes.buffer).flatMap(({ name, type, data }) =>
      data === undefined || (type !== 'file' && type !== undefined)
        ? []
        : [{ name: name.replace(/^(?:\.?\/)+/, ''), bytes: new Uint8Array(data) }],
    )
  } catch (error) {
    throw new BundleFault('not an OPA bundle, nor a module', { cause: error })
  }
}

/** Inflates slice by slice, so that a small bundle cannot become a large one before it is noticed. */
function gunzip(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  const stream = new Gunzip((chunk) => {
    length += chunk.byteLength
    if (length > maxUnpackedBytes) {
      throw new BundleFault(`the bundle unpacks to more than ${String(maxUnpackedBytes)} bytes`)
    }
    chunks.push(chunk)
  })
  try {
    for (let at = 0; at < bytes.byteLength; at += sliceBytes) {
      stream.push(bytes.subarray(at, at + sliceBytes), at + sliceBytes >= bytes.byteLength)
    }
  } catch (error) {
    if (error instanceof BundleFault) throw error
    throw new BundleFault('the bundle is not whole: it does not unpack', { cause: error })
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

function isWasm(bytes: Uint8Array): boolean {
  return bytes[0] === 0x00 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d
}

import { encodeFrame, suites } from '@parley/protocol'

/** What one frame of the flood weighs. */
export const floodFrameBytes = 500

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Makes a frame that is laid out well and signed by nobody: all that it costs is what comes before its signature. */
export function createFloodFrame(): Uint8Array {
  const prefix = encodeFrame(suites.ed25519Sha256, new Uint8Array(64).fill(7), [
    { header: new Uint8Array(0), body: new Uint8Array(0), salt: new Uint8Array(16) },
  ])
  return encodeFrame(suites.ed25519Sha256, new Uint8Array(64).fill(7), [
    {
      header: new Uint8Array(100).fill(0x20),
      body: new Uint8Array(floodFrameBytes - prefix.length - 100),
      salt: new Uint8Array(16),
    },
  ])
}

/** Makes the sender token of a stranger: as long as that of a key, and of none. */
export function createFloodToken(number: number): string {
  let tail = ''
  for (let rest = number; tail.length < 8; rest = Math.floor(rest / alphabet.length))
    tail += alphabet[rest % alphabet.length] ?? '1'
  return `z6Mk${'j'.repeat(36)}${tail}`
}

import { MeshError } from '@parley/protocol'

/** The first Node with Zstandard, which the store packs its journal with; `require` of ES modules came before. */
const minimum = [22, 15] as const

/** Refuses a Node that is too old, before anything is loaded that it lacks. Throws `cli.unsupported-node`. */
export function assertNodeVersion(version: string): void {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  if (major > minimum[0] || (major === minimum[0] && minor >= minimum[1])) return
  throw new MeshError('cli.unsupported-node', `parley runs on Node ${minimum.join('.')} or later, this is ${version}`)
}

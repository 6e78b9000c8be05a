import { capabilityCovers, isCapabilityPattern, MeshError } from '@parley/protocol'

/** Whether trust decides, or is only written down: `observe` records what `enforce` would have refused. */
export type TrustMode = 'enforce' | 'observe'

/** One mode for everything, or one by capability or pattern (`flights:*`); what no pattern covers is enforced. */
export type TrustModes = TrustMode | Readonly<Record<string, TrustMode>>

/** Says how a capability is judged. */
export type TrustModeOf = (capability: string) => TrustMode

/** Reads modes; where several patterns cover a capability, one that enforces wins. Throws `mesh.config-invalid`. */
export function readTrustModes(modes: TrustModes = 'enforce'): TrustModeOf {
  if (typeof modes === 'string') {
    assertMode(modes)
    return () => modes
  }
  const rules = Object.entries(modes)
  for (const [pattern, mode] of rules) {
    assertMode(mode)
    if (!isCapabilityPattern(pattern))
      throw new MeshError('mesh.config-invalid', `${JSON.stringify(pattern)} is neither a capability nor a pattern`)
  }
  return (capability) => {
    const covering = rules.filter(([pattern]) => capabilityCovers(pattern, capability))
    return covering.length > 0 && covering.every(([, mode]) => mode === 'observe') ? 'observe' : 'enforce'
  }
}

function assertMode(mode: unknown): void {
  if (mode !== 'enforce' && mode !== 'observe')
    throw new MeshError('mesh.config-invalid', `${JSON.stringify(mode)} is not enforce or observe`)
}

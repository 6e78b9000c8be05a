import { preparsePolicySet } from '@cedar-policy/cedar-wasm/nodejs'

/** A set of policies that the library keeps parsed. */
export interface PolicySlot {
  /** The name by which the library finds it. */
  readonly id: string
}

/** The library keeps what it parsed under a name, for ever; names that nobody uses any more are taken again. */
const free: string[] = []
const slots = new FinalizationRegistry<string>((id) => {
  preparsePolicySet(id, { staticPolicies: {} })
  free.push(id)
})
let made = 0

/** Parses policies, by their ids, to be asked many times. The slot is freed when nothing holds it any more. */
export function fillPolicySlot(policies: Readonly<Record<string, string>>): PolicySlot | undefined {
  const slot: PolicySlot = { id: free.pop() ?? `parley-${String(made++)}` }
  if (preparsePolicySet(slot.id, { staticPolicies: policies }).type === 'failure') return undefined
  slots.register(slot, slot.id)
  return slot
}

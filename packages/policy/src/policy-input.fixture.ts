import { noDelegation, noObjective, type PolicyInput, type PolicyPeer } from './policy-input.ts'

/** What a test changes of the hop that `hopOf` describes. */
export interface HopChanges extends Partial<Omit<PolicyInput, 'caller' | 'callee'>> {
  readonly caller?: Partial<PolicyPeer>
  readonly callee?: Partial<PolicyPeer>
}

/** Describes a granted, reversible call from acme/desk to sky/flights, changed as a test needs it. */
export function hopOf({ caller, callee, ...changes }: HopChanges = {}): PolicyInput {
  const peer: PolicyPeer = {
    name: 'acme/desk',
    owner: 'did:web:acme.example',
    instance: 'did:key:zDesk',
    kind: 'agent',
    assurance: 0,
    tier: 'standard',
    score: 500,
    grants: true,
    grantsByName: false,
  }
  return {
    action: 'flights:reserve',
    direction: 'inbound',
    phase: 'do',
    risk: 'reversible',
    caller: { ...peer, ...caller },
    callee: { ...peer, name: 'sky/flights', ...callee },
    onBehalfOf: '',
    labels: [],
    obligations: [],
    delegation: noDelegation,
    hop: { index: 0, path: ['acme/desk'] },
    saga: { present: false, id: '', step: '', attempt: 0 },
    objective: () => noObjective,
    body: () => ({ to: 'ZRH', amount: 300 }),
    // 2026-01-01T13:30:00Z
    time: { nowMs: 1_767_274_200_000 },
    ...changes,
  }
}

/** Writes a document around `rules`. */
export function documentOf(rules: string, options: { name?: string; default?: 'allow' | 'deny' } = {}): string {
  const { name = 'test', default: fallback = 'deny' } = options
  return `apiVersion: parley/v1\nname: ${name}\ndefault: ${fallback}\nrules:\n${rules}\n`
}

import { MeshError, type Did, type InstanceDid } from '@parley/protocol'
import { CallError, type ContractCapability, type Hop, type Outcome } from '@parley/mesh'

const caller: Hop['caller'] = {
  owner: 'did:example:acme' satisfies Did,
  name: 'acme/desk',
  instance: 'did:key:z6MkFakeCallerOfAUnitTest' satisfies InstanceDid,
  kind: 'agent',
  score: 500,
  tier: 'standard',
}

/**
 * Makes the hop that one handler is unit-tested with: nothing was signed, nothing is checked, and calls that the handler
 * makes end `refused` with `mesh.no-provider` unless `facts.tryCall` answers them, and so do events. `call` follows `tryCall`, and so does
 * `stream`, without parts; `accept` and `progress` tell nobody.
 */
export function fakeHop<Declared = Readonly<Record<string, unknown>>>(
  facts: Partial<Hop<Declared>> = {},
): Hop<Declared> {
  const tryCall =
    facts.tryCall ??
    (async <Input, Output, Errors, Progress>(
      contract: ContractCapability<Input, Output, Errors, Output, unknown, Progress>,
    ) => ({
      kind: 'refused' as const,
      code: 'mesh.no-provider' as const,
      reason: 'a fake hop has no mesh: give it a tryCall',
      hop: {
        id: 'AAAAAAAAAAAAAAAAAAAAAA',
        trace: '1'.repeat(32),
        capability: contract.capability,
        sent: false,
        durationMs: 0,
        explain: () => 'refused by a fake hop',
      },
    }))
  return {
    id: 'AAAAAAAAAAAAAAAAAAAAAA',
    trace: '1'.repeat(32),
    capability: 'fake:capability',
    caller,
    labels: [],
    obligations: [],
    pathIndex: 0,
    signal: new AbortController().signal,
    evidence: () => {
      throw new MeshError('iatp.evidence-malformed', 'nothing was signed in a fake hop: give it evidence')
    },
    remainingMs: () => 5_000,
    decline: (name, details) => ({ kind: 'declined', error: { name, details } }),
    fail: ({ retryable = false } = {}) => ({ kind: 'nothing-done', retryable }),
    refuse: (code, options = {}) => ({ kind: 'refusal', code, ...options }),
    accept: () => undefined,
    progress: () => Promise.resolve(),
    stream: (capability, input, options) => {
      const outcome = tryCall(capability, input, options) as Promise<Outcome<never>>
      const next = async (): Promise<IteratorReturnResult<undefined>> => {
        const ended = await outcome
        if (ended.kind !== 'ok') throw new CallError(capability.capability, ended)
        return { done: true, value: undefined }
      }
      return { outcome: outcome as Promise<never>, [Symbol.asyncIterator]: () => ({ next }) }
    },
    use: () => Promise.resolve(),
    emit: () =>
      Promise.resolve({
        kind: 'refused',
        id: 'AAAAAAAAAAAAAAAAAAAAAA',
        trace: '1'.repeat(32),
        code: 'mesh.not-started',
        reason: 'a fake hop has no mesh: give it an emit',
      }),
    call: async (capability, input, options) => {
      const outcome: Outcome<never> = (await tryCall(capability, input, options)) as Outcome<never>
      if (outcome.kind === 'ok') return outcome.output
      throw new CallError(capability.capability, outcome)
    },
    ...facts,
    tryCall,
  }
}

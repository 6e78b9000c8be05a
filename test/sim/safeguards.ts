/** One change of a source file: a text that stands in it exactly once, and what stands there instead. */
export interface SourceEdit {
  /** Path from the root of the repository. */
  readonly file: string
  readonly find: string
  readonly put: string
}

/**
 * The safeguards that the simulation must miss when they are gone, and how each is cut out of the shipped sources. Nothing in
 * them can be switched off; so a simulation that removes one loads other text.
 */
export const safeguards = {
  /** A participant refuses commands of an epoch below one that it saw. */
  'fence-check': [
    {
      file: 'packages/store-sqlite/src/sqlite-inbox.ts',
      find: "if (epoch < seen) return { kind: 'stale-epoch', epoch: seen }",
      put: '',
    },
  ],
  /** A participant remembers what it did. */
  inbox: [
    {
      file: 'packages/saga/src/participant/create-participant.ts',
      find: 'const verdict = await inbox.begin(tx, command)',
      put: "const verdict = { kind: 'new' }",
    },
    {
      file: 'packages/saga/src/participant/create-participant.ts',
      find: 'await inbox.settle(tx, command, outcome)',
      put: '',
    },
  ],
  /** An undo of what never came keeps it from coming. */
  tombstone: [
    {
      file: 'packages/store-sqlite/src/sqlite-inbox.ts',
      find: "statements.insertKey.run(owner, name, saga, key, capability, 'tombstone', '')",
      put: 'void 0',
    },
  ],
  /** Nothing is sent before the journal says so. */
  'intent-before-send': [
    {
      file: 'packages/saga/src/runner/drive-saga.ts',
      find: 'isWritten = await append([...events, ...next.events], next.state)',
      put: `show([], next.state)
      for (const call of next.calls.splice(0)) void perform(call)
      isWritten = await append([...events, ...next.events], next.state)`,
    },
  ],
  /** A definite no settles a step only if no earlier attempt may still appear. */
  'settle-rule': [
    {
      file: 'packages/saga/src/kernel/step-machine.ts',
      find: 'settled: ({ context }) => !context.unsettled',
      put: 'settled: () => true',
    },
  ],
  /** A session takes each counter once. */
  'replay-window': [
    {
      file: 'packages/mesh/src/pipeline/inbound/replay.ts',
      find: "left(hop.session, 'the session').inbound.accept(left(hop.header, 'the header').counter ?? 0)",
      put: 'true',
    },
  ],
  /** What came last is undone first. */
  'undo-order': [
    {
      file: 'packages/saga/src/kernel/frontier.ts',
      find: 'if (!node) return true',
      put: `if (!node) return true
  if (snapshot.value === 'backward')
    return nodes.every((one) =>
      one.kind === 'parallel'
        ? one.branches.every((branch, at) => visitSequence(state, layOutGroup(one).paths[at] ?? '', branch, visit))
        : visit(one),
    )`,
    },
  ],
  /** An answer counts only for the request that it names. */
  'reply-match': [
    {
      file: 'packages/mesh/src/calling/pending-answers.ts',
      find: "const entry = waiting.get(answer.header.inReplyTo ?? '')",
      put: 'const entry = [...waiting.values()].find((one) => one.from === answer.header.from)',
    },
  ],
  /** A chain must grant what is done under it, and must not be expired. */
  'chain-check': [
    {
      file: 'packages/mesh/src/pipeline/inbound/delegation.ts',
      find: "if (verdict.kind === 'deny') return verdict\n    hop.chain = chain",
      put: 'hop.chain = chain',
    },
    {
      file: 'packages/mesh/src/pipeline/inbound/delegation.ts',
      find: "if (hop.parts.clock.now() >= chain.expiresAtMs) return refuse('delegation.expired', 'the chain is expired')",
      put: '',
    },
  ],
  /** An owner's order is in force at the next hop. */
  'order-check': [
    {
      file: 'packages/mesh/src/pipeline/orders.ts',
      find: 'for (const credential of [parts.ownCredential(), peer]) {',
      put: 'for (const credential of []) {',
    },
  ],
} as const satisfies Readonly<Record<string, readonly SourceEdit[]>>

/** The name of a safeguard that can be cut out. */
export type SafeguardName = keyof typeof safeguards

/** Tells whether a text names a safeguard. */
export function isSafeguard(name: string): name is SafeguardName {
  return Object.hasOwn(safeguards, name)
}

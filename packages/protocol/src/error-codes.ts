// Generated from /protocol/errors.json by /protocol/generate-errors.ts; a test keeps the two the same.

/** What is known of an error code: its meaning, what to do, and whether the same call may succeed later. */
export interface ErrorFacts {
  readonly meaning: string
  readonly todo: string
  readonly retryable: boolean
}

/** Every code that a refusal or a failure can carry. */
export const errorCodes: {
  readonly 'audit.chain-broken': ErrorFacts
  readonly 'audit.checkpoint-invalid': ErrorFacts
  readonly 'audit.record-invalid': ErrorFacts
  readonly 'audit.truncated': ErrorFacts
  readonly 'breaker.open': ErrorFacts
  readonly 'bulkhead.full': ErrorFacts
  readonly 'cli.file-failed': ErrorFacts
  readonly 'cli.unsupported-node': ErrorFacts
  readonly 'cli.usage': ErrorFacts
  readonly 'contract.capability-unknown': ErrorFacts
  readonly 'contract.handler-failed': ErrorFacts
  readonly 'contract.incompatible': ErrorFacts
  readonly 'contract.input-invalid': ErrorFacts
  readonly 'contract.invalid': ErrorFacts
  readonly 'contract.output-invalid': ErrorFacts
  readonly 'contract.usage-invalid': ErrorFacts
  readonly 'deadline.exceeded': ErrorFacts
  readonly 'deadline.lease-lapsed': ErrorFacts
  readonly 'delegation.allowance-spent': ErrorFacts
  readonly 'delegation.constraint-unknown': ErrorFacts
  readonly 'delegation.constraint-violated': ErrorFacts
  readonly 'delegation.expired': ErrorFacts
  readonly 'delegation.invalid': ErrorFacts
  readonly 'delegation.label-removed': ErrorFacts
  readonly 'delegation.not-granted': ErrorFacts
  readonly 'delegation.not-handed-on': ErrorFacts
  readonly 'delegation.not-held': ErrorFacts
  readonly 'delegation.root-not-accepted': ErrorFacts
  readonly 'delegation.too-deep': ErrorFacts
  readonly 'delegation.unknown': ErrorFacts
  readonly 'delegation.widened': ErrorFacts
  readonly 'delegation.wrong-callee': ErrorFacts
  readonly 'delegation.wrong-delegate': ErrorFacts
  readonly 'hop.cancelled': ErrorFacts
  readonly 'hop.stage-failed': ErrorFacts
  readonly 'hop.unrecorded': ErrorFacts
  readonly 'iatp.body-mismatch': ErrorFacts
  readonly 'iatp.body-unavailable': ErrorFacts
  readonly 'iatp.body-unreadable': ErrorFacts
  readonly 'iatp.confidentiality-required': ErrorFacts
  readonly 'iatp.crit-unknown': ErrorFacts
  readonly 'iatp.downgraded': ErrorFacts
  readonly 'iatp.evidence-malformed': ErrorFacts
  readonly 'iatp.frame-malformed': ErrorFacts
  readonly 'iatp.frame-oversize': ErrorFacts
  readonly 'iatp.handshake-failed': ErrorFacts
  readonly 'iatp.header-invalid': ErrorFacts
  readonly 'iatp.instance-conflict': ErrorFacts
  readonly 'iatp.lifetime': ErrorFacts
  readonly 'iatp.mailbox-foreign': ErrorFacts
  readonly 'iatp.misaddressed': ErrorFacts
  readonly 'iatp.outcome-mismatch': ErrorFacts
  readonly 'iatp.outcome-withheld': ErrorFacts
  readonly 'iatp.path-too-long': ErrorFacts
  readonly 'iatp.replayed': ErrorFacts
  readonly 'iatp.sender-limited': ErrorFacts
  readonly 'iatp.session-unknown': ErrorFacts
  readonly 'iatp.suite-unsupported': ErrorFacts
  readonly 'iatp.version-unsupported': ErrorFacts
  readonly 'identity.anchor-conflict': ErrorFacts
  readonly 'identity.anchor-invalid': ErrorFacts
  readonly 'identity.attestation-refused': ErrorFacts
  readonly 'identity.credential-expired': ErrorFacts
  readonly 'identity.credential-mismatch': ErrorFacts
  readonly 'identity.did-invalid': ErrorFacts
  readonly 'identity.did-unresolvable': ErrorFacts
  readonly 'identity.domain-unknown': ErrorFacts
  readonly 'identity.issuer-refused': ErrorFacts
  readonly 'identity.issuer-unavailable': ErrorFacts
  readonly 'identity.join-token-invalid': ErrorFacts
  readonly 'identity.join-token-used': ErrorFacts
  readonly 'identity.jwt-expired': ErrorFacts
  readonly 'identity.jwt-invalid': ErrorFacts
  readonly 'identity.key-file-exists': ErrorFacts
  readonly 'identity.key-file-invalid': ErrorFacts
  readonly 'identity.key-file-permissions': ErrorFacts
  readonly 'identity.key-set-invalid': ErrorFacts
  readonly 'identity.key-unsafe': ErrorFacts
  readonly 'identity.name-not-owned': ErrorFacts
  readonly 'identity.order-forked': ErrorFacts
  readonly 'identity.order-gap': ErrorFacts
  readonly 'identity.order-stale': ErrorFacts
  readonly 'identity.orders-behind': ErrorFacts
  readonly 'identity.orders-outdated': ErrorFacts
  readonly 'identity.owner-unknown': ErrorFacts
  readonly 'identity.pin-mismatch': ErrorFacts
  readonly 'identity.purpose-mismatch': ErrorFacts
  readonly 'identity.quarantined': ErrorFacts
  readonly 'identity.rejoin-reused': ErrorFacts
  readonly 'identity.revoked': ErrorFacts
  readonly 'identity.sign-in-too-weak': ErrorFacts
  readonly 'identity.signature-invalid': ErrorFacts
  readonly 'identity.signer-unavailable': ErrorFacts
  readonly 'mesh.call-failed': ErrorFacts
  readonly 'mesh.config-invalid': ErrorFacts
  readonly 'mesh.draining': ErrorFacts
  readonly 'mesh.no-provider': ErrorFacts
  readonly 'mesh.not-started': ErrorFacts
  readonly 'nats-server.not-found': ErrorFacts
  readonly 'nats-server.start-failed': ErrorFacts
  readonly 'policy.approval-denied': ErrorFacts
  readonly 'policy.approval-invalid': ErrorFacts
  readonly 'policy.approval-required': ErrorFacts
  readonly 'policy.approval-used': ErrorFacts
  readonly 'policy.denied': ErrorFacts
  readonly 'policy.evaluation-failed': ErrorFacts
  readonly 'policy.invalid': ErrorFacts
  readonly 'policy.not-signed': ErrorFacts
  readonly 'policy.outdated': ErrorFacts
  readonly 'policy.rate-limited': ErrorFacts
  readonly 'saga.aborted': ErrorFacts
  readonly 'saga.backlog-full': ErrorFacts
  readonly 'saga.bodies-erased': ErrorFacts
  readonly 'saga.cancel-refused': ErrorFacts
  readonly 'saga.cancelled': ErrorFacts
  readonly 'saga.closed': ErrorFacts
  readonly 'saga.command-closed': ErrorFacts
  readonly 'saga.command-expired': ErrorFacts
  readonly 'saga.command-invalid': ErrorFacts
  readonly 'saga.compensated': ErrorFacts
  readonly 'saga.decision-refused': ErrorFacts
  readonly 'saga.definition-invalid': ErrorFacts
  readonly 'saga.ending-unproven': ErrorFacts
  readonly 'saga.id-conflict': ErrorFacts
  readonly 'saga.id-invalid': ErrorFacts
  readonly 'saga.interrupted': ErrorFacts
  readonly 'saga.journal-corrupt': ErrorFacts
  readonly 'saga.key-busy': ErrorFacts
  readonly 'saga.locked': ErrorFacts
  readonly 'saga.mapping-failed': ErrorFacts
  readonly 'saga.not-erasable': ErrorFacts
  readonly 'saga.not-over': ErrorFacts
  readonly 'saga.not-owned': ErrorFacts
  readonly 'saga.outcome-unknown': ErrorFacts
  readonly 'saga.owner-changed': ErrorFacts
  readonly 'saga.plan-unsupported': ErrorFacts
  readonly 'saga.proof-altered': ErrorFacts
  readonly 'saga.proof-malformed': ErrorFacts
  readonly 'saga.proof-truncated': ErrorFacts
  readonly 'saga.receipt-invalid': ErrorFacts
  readonly 'saga.sealed': ErrorFacts
  readonly 'saga.signal-refused': ErrorFacts
  readonly 'saga.stale-epoch': ErrorFacts
  readonly 'saga.stuck': ErrorFacts
  readonly 'saga.tombstoned': ErrorFacts
  readonly 'saga.unknown': ErrorFacts
  readonly 'saga.version-conflict': ErrorFacts
  readonly 'saga.version-unknown': ErrorFacts
  readonly 'saga.wait-lapsed': ErrorFacts
  readonly 'store.append-too-large': ErrorFacts
  readonly 'store.closed': ErrorFacts
  readonly 'store.corrupt': ErrorFacts
  readonly 'store.locked': ErrorFacts
  readonly 'store.name-invalid': ErrorFacts
  readonly 'store.open-failed': ErrorFacts
  readonly 'store.outcome-unknown': ErrorFacts
  readonly 'store.position-conflict': ErrorFacts
  readonly 'store.revision-conflict': ErrorFacts
  readonly 'store.unavailable': ErrorFacts
  readonly 'store.unsafe-config': ErrorFacts
  readonly 'store.write-failed': ErrorFacts
  readonly 'stream.part-invalid': ErrorFacts
  readonly 'stream.part-lost': ErrorFacts
  readonly 'transport.closed': ErrorFacts
  readonly 'transport.connect-failed': ErrorFacts
  readonly 'transport.disconnected': ErrorFacts
  readonly 'transport.no-listener': ErrorFacts
  readonly 'transport.not-permitted': ErrorFacts
  readonly 'transport.payload-too-large': ErrorFacts
  readonly 'transport.subject-invalid': ErrorFacts
  readonly 'trust.attestation-refused': ErrorFacts
  readonly 'trust.below-threshold': ErrorFacts
  readonly 'trust.entry-refused': ErrorFacts
  readonly 'trust.evidence-duplicate': ErrorFacts
  readonly 'trust.evidence-forged': ErrorFacts
  readonly 'trust.evidence-from-future': ErrorFacts
  readonly 'trust.evidence-gap': ErrorFacts
  readonly 'trust.evidence-invalid': ErrorFacts
  readonly 'trust.evidence-late': ErrorFacts
  readonly 'trust.peer-unknown': ErrorFacts
  readonly 'trust.quarantined': ErrorFacts
  readonly 'trust.self-evidence': ErrorFacts
} = {
  'audit.chain-broken': {
    meaning: 'A record is missing, moved or inserted.',
    todo: 'Treat the log as tampered with from this record on.',
    retryable: false,
  },
  'audit.checkpoint-invalid': {
    meaning: 'A checkpoint is missing, unsigned, or does not match the records.',
    todo: 'Treat the log as tampered with.',
    retryable: false,
  },
  'audit.record-invalid': {
    meaning: 'A record is malformed or its hash does not match.',
    todo: 'Treat the log as tampered with from this record on.',
    retryable: false,
  },
  'audit.truncated': {
    meaning: 'The log ends before its last checkpoint or starts after its first record.',
    todo: 'Treat the log as tampered with.',
    retryable: false,
  },
  'breaker.open': {
    meaning: 'The breaker of this peer and capability is open.',
    todo: 'Wait for retryAfterMs.',
    retryable: true,
  },
  'bulkhead.full': {
    meaning: 'Too many calls of this kind are in flight.',
    todo: 'Wait for retryAfterMs.',
    retryable: true,
  },
  'cli.file-failed': {
    meaning: 'A file, or the output of the command, could not be read or written.',
    todo: 'Look at the disk: its room, its rights, whether it is there.',
    retryable: true,
  },
  'cli.unsupported-node': {
    meaning: 'This Node is too old.',
    todo: 'Use Node 22.15 or later.',
    retryable: false,
  },
  'cli.usage': {
    meaning: 'The command line is not understood.',
    todo: 'Correct it; parley --help shows the commands.',
    retryable: false,
  },
  'contract.capability-unknown': {
    meaning: 'The callee does not serve the capability.',
    todo: 'Ask an agent that serves it.',
    retryable: false,
  },
  'contract.handler-failed': {
    meaning: 'The handler threw: what was done is unknown, unless its transaction rolled back.',
    todo: 'See the log of the callee.',
    retryable: true,
  },
  'contract.incompatible': {
    meaning: 'Caller and callee have different contracts for the capability.',
    todo: 'Use the same version of the contract.',
    retryable: false,
  },
  'contract.input-invalid': {
    meaning: 'The input does not fit the schema of the contract.',
    todo: 'Send input that fits.',
    retryable: false,
  },
  'contract.invalid': {
    meaning: 'The contract definition is not valid.',
    todo: 'Correct what the message names.',
    retryable: false,
  },
  'contract.output-invalid': {
    meaning: 'The output does not fit the schema of the contract: what was done is unknown.',
    todo: 'Correct the handler.',
    retryable: false,
  },
  'contract.usage-invalid': {
    meaning: 'What a handler says that it used is no usage.',
    todo: 'Use whole calls and tokens, and money of one currency.',
    retryable: false,
  },
  'deadline.exceeded': {
    meaning: 'The time that was left for the call is over: what was done is unknown.',
    todo: 'Allow more time, or look up the outcome.',
    retryable: true,
  },
  'deadline.lease-lapsed': {
    meaning: 'A callee that had taken the work on was silent for longer than its lease: what was done is unknown.',
    todo: 'Look up the outcome, or let the callee report progress more often.',
    retryable: true,
  },
  'delegation.allowance-spent': {
    meaning: 'The allowance of the chain does not cover this call.',
    todo: 'Ask the delegator for a further share, or spend less.',
    retryable: false,
  },
  'delegation.constraint-unknown': {
    meaning: 'A link has a kind of constraint or allowance that is not understood here.',
    todo: 'Use the kinds of the spec, or a newer version here.',
    retryable: false,
  },
  'delegation.constraint-violated': {
    meaning: 'The input breaks a constraint of the chain.',
    todo: 'Call with arguments that the chain allows.',
    retryable: false,
  },
  'delegation.expired': {
    meaning: 'A link of the chain is expired or not yet valid.',
    todo: 'Ask the delegator for a fresh one.',
    retryable: false,
  },
  'delegation.invalid': {
    meaning: 'A link of the chain is malformed, unsigned or signed by the wrong party.',
    todo: 'Have the delegator sign the link again.',
    retryable: false,
  },
  'delegation.label-removed': {
    meaning: 'A link or a request drops a label that the chain above it carries.',
    todo: 'Pass on every label of the chain; labels only grow.',
    retryable: false,
  },
  'delegation.not-granted': {
    meaning: 'The chain does not grant the capability.',
    todo: 'Ask the delegator for it, or call in your own right.',
    retryable: false,
  },
  'delegation.not-handed-on': {
    meaning: 'A handler called on, but its caller handed nothing on.',
    todo: 'Have the caller hand it on with `delegate`, or say authority: \'own\'.',
    retryable: false,
  },
  'delegation.not-held': {
    meaning: 'There is no chain from which to hand on.',
    todo: 'Name the chain with `delegation` or `delegateFrom`.',
    retryable: false,
  },
  'delegation.root-not-accepted': {
    meaning: 'The root of the chain may not grant this capability here.',
    todo: 'Add the capability to the roots of the anchor.',
    retryable: false,
  },
  'delegation.too-deep': {
    meaning: 'The chain has more links than allowed.',
    todo: 'Delegate more directly.',
    retryable: false,
  },
  'delegation.unknown': {
    meaning: 'The callee does not hold the chain that the header names.',
    todo: 'Send the links with the request.',
    retryable: true,
  },
  'delegation.widened': {
    meaning: 'A link grants more than its parent.',
    todo: 'Narrow the link.',
    retryable: false,
  },
  'delegation.wrong-callee': {
    meaning: 'The allowance of the chain is for another agent.',
    todo: 'Call the agent that the share names.',
    retryable: false,
  },
  'delegation.wrong-delegate': {
    meaning: 'The chain was given to another agent.',
    todo: 'Use a chain whose last link names the sender.',
    retryable: false,
  },
  'hop.cancelled': {
    meaning: 'The caller cancelled the call.',
    todo: 'Nothing, if it was meant.',
    retryable: false,
  },
  'hop.stage-failed': {
    meaning: 'A stage of the pipeline broke, which refuses.',
    todo: 'Report it: this is a defect.',
    retryable: false,
  },
  'hop.unrecorded': {
    meaning: 'The audit log cannot take the record, which refuses.',
    todo: 'Check the disk of the audit log.',
    retryable: true,
  },
  'iatp.body-mismatch': {
    meaning: 'What was fetched is not the body that the signed reference names.',
    todo: 'Send again; if it stays so, look at who writes to the body store.',
    retryable: false,
  },
  'iatp.body-unavailable': {
    meaning: 'A body that travels by reference cannot be kept or fetched.',
    todo: 'Give caller and callee the same body store, and see that it works.',
    retryable: true,
  },
  'iatp.body-unreadable': {
    meaning: 'The body cannot be decrypted with the keys of the session.',
    todo: 'Shake hands again; if it stays, one side does not follow the spec.',
    retryable: false,
  },
  'iatp.confidentiality-required': {
    meaning: 'The body must be encrypted, and this envelope or this session does not do so.',
    todo: 'Use nodes of both sides that offer a key share, and the same contract.',
    retryable: false,
  },
  'iatp.crit-unknown': {
    meaning: 'The header requires an extension that is not understood here.',
    todo: 'Drop the extension or upgrade the callee.',
    retryable: false,
  },
  'iatp.downgraded': {
    meaning: 'The peer chose another version or suite than the best that both sides offered.',
    todo: 'Treat the peer, or who sits between, as hostile.',
    retryable: false,
  },
  'iatp.evidence-malformed': {
    meaning: 'The bytes are not evidence of an envelope, or bytes are missing or left over.',
    todo: 'Check that the whole file was kept, as protocol/spec/iatp.md defines it.',
    retryable: false,
  },
  'iatp.frame-malformed': {
    meaning: 'The bytes are not an IATP frame.',
    todo: 'Send frames as protocol/spec/iatp.md defines them.',
    retryable: false,
  },
  'iatp.frame-oversize': {
    meaning: 'The frame, a header or a body is larger than the limit.',
    todo: 'Send less, or a reference to a larger body.',
    retryable: false,
  },
  'iatp.handshake-failed': {
    meaning: 'The handshake was refused or did not finish.',
    todo: 'Look at the code of the refusal in details.',
    retryable: true,
  },
  'iatp.header-invalid': {
    meaning: 'The header is not the canonical JSON of a valid header.',
    todo: 'Write the header as JSON.stringify writes it, with the fields of the spec.',
    retryable: false,
  },
  'iatp.instance-conflict': {
    meaning: 'Another process uses the key of this instance.',
    todo: 'Give every process its own key; restart with a fresh one.',
    retryable: false,
  },
  'iatp.lifetime': {
    meaning: 'The envelope is expired, not yet valid, or lives longer than allowed.',
    todo: 'Check the clocks; envelopes live at most five minutes.',
    retryable: true,
  },
  'iatp.mailbox-foreign': {
    meaning: 'A request asks for its outcome in a mailbox that is not of its sender\'s name.',
    todo: 'Name the mailbox of the own agent, or none.',
    retryable: false,
  },
  'iatp.misaddressed': {
    meaning: 'The envelope is addressed to another instance, mesh or subject.',
    todo: 'Address the instance that shall receive it.',
    retryable: false,
  },
  'iatp.outcome-mismatch': {
    meaning: 'The outcome in the mailbox is not one of the command that was asked for.',
    todo: 'Ignore it; look the command up where its own outcome does not come.',
    retryable: false,
  },
  'iatp.outcome-withheld': {
    meaning: 'The callee knows the outcome, but does not tell it in a mailbox: it is confidential, or too large.',
    todo: 'Look it up at the callee.',
    retryable: false,
  },
  'iatp.path-too-long': {
    meaning: 'The work has taken more hops in a row than allowed.',
    todo: 'Look for agents that call each other in a circle.',
    retryable: false,
  },
  'iatp.replayed': {
    meaning: 'This counter or id was accepted before, or is older than the window.',
    todo: 'Never send an envelope twice.',
    retryable: false,
  },
  'iatp.sender-limited': {
    meaning: 'The sender used up its bucket of signatures.',
    todo: 'Wait for retryAfterMs.',
    retryable: true,
  },
  'iatp.session-unknown': {
    meaning: 'The callee does not know the session.',
    todo: 'Shake hands again and send the request once more.',
    retryable: true,
  },
  'iatp.suite-unsupported': {
    meaning: 'The signature suite is not accepted here.',
    todo: 'Use a suite that the welcome named.',
    retryable: false,
  },
  'iatp.version-unsupported': {
    meaning: 'The frame version is not spoken here.',
    todo: 'Use a version that the welcome named.',
    retryable: false,
  },
  'identity.anchor-conflict': {
    meaning: 'Two anchors overlap or contradict each other.',
    todo: 'Give each pattern of names one owner.',
    retryable: false,
  },
  'identity.anchor-invalid': {
    meaning: 'An anchor is malformed.',
    todo: 'Correct what the message names.',
    retryable: false,
  },
  'identity.attestation-refused': {
    meaning: 'No attestor of the issuer vouches for who asks.',
    todo: 'Join by a method that the issuer has, with evidence for this instance.',
    retryable: false,
  },
  'identity.credential-expired': {
    meaning: 'The credential is expired or not yet valid.',
    todo: 'Renew the credential.',
    retryable: true,
  },
  'identity.credential-mismatch': {
    meaning: 'The credential belongs to another instance key.',
    todo: 'Send the credential of the key that signs.',
    retryable: false,
  },
  'identity.did-invalid': {
    meaning: 'The DID is not one that is accepted here.',
    todo: 'Use a canonical did:key of an Ed25519 key.',
    retryable: false,
  },
  'identity.did-unresolvable': {
    meaning: 'The document of a did:web cannot be fetched.',
    todo: 'See the message: the name, the certificate, the address or the document is wrong.',
    retryable: true,
  },
  'identity.domain-unknown': {
    meaning: 'The signing domain is not on the closed list, or the bytes do not fit it.',
    todo: 'Use a domain of signingDomains.',
    retryable: false,
  },
  'identity.issuer-refused': {
    meaning: 'The issuer does not give this name or these capabilities.',
    todo: 'Ask for what the statement allows.',
    retryable: false,
  },
  'identity.issuer-unavailable': {
    meaning: 'The issuer cannot be reached.',
    todo: 'Do what the message says, or try again; a credential that was given is valid until it expires.',
    retryable: true,
  },
  'identity.join-token-invalid': {
    meaning: 'The join token is malformed, or for another name or key.',
    todo: 'Make a new one with parley issuer token.',
    retryable: false,
  },
  'identity.join-token-used': {
    meaning: 'The join token was used by another instance: each lets one instance in.',
    todo: 'Make a new one with parley issuer token, and find out who used this one.',
    retryable: false,
  },
  'identity.jwt-expired': {
    meaning: 'The token is expired or not yet valid.',
    todo: 'Have it issued again; check the clocks.',
    retryable: true,
  },
  'identity.jwt-invalid': {
    meaning: 'The token is malformed, of another kind, or not in its canonical form.',
    todo: 'Have it issued again.',
    retryable: false,
  },
  'identity.key-file-exists': {
    meaning: 'A key file with this name exists, and none is ever overwritten.',
    todo: 'Choose another name, or move the old key away.',
    retryable: false,
  },
  'identity.key-file-invalid': {
    meaning: 'The key file cannot be read or is not a key.',
    todo: 'Name a file that `parley keys init` or `parley issuer init` made, or restore it.',
    retryable: false,
  },
  'identity.key-file-permissions': {
    meaning: 'The key file can be read by others.',
    todo: 'Run chmod 600 on it.',
    retryable: false,
  },
  'identity.key-set-invalid': {
    meaning: 'An owner\'s key set cannot be used.',
    todo: 'Correct the DID document; one of its Ed25519 assertion keys signs.',
    retryable: false,
  },
  'identity.key-unsafe': {
    meaning: 'The public key is of small order or not canonical.',
    todo: 'Generate a fresh key.',
    retryable: false,
  },
  'identity.name-not-owned': {
    meaning: 'The name is outside what the owner, the issuer or the anchor may name.',
    todo: 'Use a name under the owner\'s own alias; for any other, ask the owner of that name.',
    retryable: false,
  },
  'identity.order-forked': {
    meaning: 'The order does not follow those that are held, or is not the one held under its number: its owner signed two histories.',
    todo: 'Ask the owner which one holds; keep both as evidence.',
    retryable: false,
  },
  'identity.order-gap': {
    meaning: 'Orders before this one are missing.',
    todo: 'Fetch the missing orders and accept them in sequence.',
    retryable: true,
  },
  'identity.order-stale': {
    meaning: 'The order is held already, or the head names no more than what is known.',
    todo: 'Nothing: the newer order holds.',
    retryable: false,
  },
  'identity.orders-behind': {
    meaning: 'An owner gave orders that are not held here yet.',
    todo: 'Nothing: they are fetched from peers. If it lasts, give them with acceptOrder.',
    retryable: true,
  },
  'identity.orders-outdated': {
    meaning: 'The last word of an owner on its orders is too old for this risk.',
    todo: 'See that its issuer is up and signs order heads.',
    retryable: true,
  },
  'identity.owner-unknown': {
    meaning: 'No anchor accepts the owner of the credential.',
    todo: 'Add an anchor for the owner, if it shall be accepted.',
    retryable: false,
  },
  'identity.pin-mismatch': {
    meaning: 'An owner\'s keys are not those that its anchor pins.',
    todo: 'Ask the owner over another way; then change the pin, or leave it.',
    retryable: false,
  },
  'identity.purpose-mismatch': {
    meaning: 'A declaration was signed for another purpose than the one it is used for.',
    todo: 'Have it signed for this purpose.',
    retryable: false,
  },
  'identity.quarantined': {
    meaning: 'An order of the owner put the name or the instance in quarantine for a time.',
    todo: 'Wait for retryAfterMs, or ask the owner to end it.',
    retryable: true,
  },
  'identity.rejoin-reused': {
    meaning: 'A grant to come back was shown a second time: it was copied, and its seat takes nobody any more.',
    todo: 'Find out who has a copy; revoke what acts by it; give the process a new join token.',
    retryable: false,
  },
  'identity.revoked': {
    meaning: 'An order revoked the credential, the instance or the name.',
    todo: 'Ask the owner.',
    retryable: false,
  },
  'identity.sign-in-too-weak': {
    meaning: 'A person has to say this who signed in more strongly, or at all.',
    todo: 'Sign in with the assurance that is asked for and sign again.',
    retryable: false,
  },
  'identity.signature-invalid': {
    meaning: 'The signature does not match the bytes and the key.',
    todo: 'Sign the exact bytes with the key that the DID names.',
    retryable: false,
  },
  'identity.signer-unavailable': {
    meaning: 'The signer could not sign.',
    todo: 'Check the key store.',
    retryable: true,
  },
  'mesh.call-failed': {
    meaning: 'A call did not end ok.',
    todo: 'Look at the outcome in details, or use tryCall.',
    retryable: false,
  },
  'mesh.config-invalid': {
    meaning: 'The configuration has mistakes.',
    todo: 'Correct what the message names.',
    retryable: false,
  },
  'mesh.draining': {
    meaning: 'The node finishes its work and takes no new calls.',
    todo: 'Call another instance.',
    retryable: true,
  },
  'mesh.no-provider': {
    meaning: 'No live instance is known that serves the capability.',
    todo: 'Start one, or name it with `to`.',
    retryable: true,
  },
  'mesh.not-started': {
    meaning: 'The node is not started, is draining or is closed.',
    todo: 'Await start() first.',
    retryable: false,
  },
  'nats-server.not-found': {
    meaning: 'No nats-server could be found or fetched.',
    todo: 'Do what the message says; `parley doctor` checks it.',
    retryable: false,
  },
  'nats-server.start-failed': {
    meaning: 'nats-server did not start.',
    todo: 'Read its output in details.',
    retryable: false,
  },
  'policy.approval-denied': {
    meaning: 'A person said no to this, or proposed something else.',
    todo: 'Ask for something else; parley approve list shows what was said.',
    retryable: false,
  },
  'policy.approval-invalid': {
    meaning: 'An answer is not about this request, or its signer has no say in it.',
    todo: 'Answer the request that is shown, as one of its approvers.',
    retryable: false,
  },
  'policy.approval-required': {
    meaning: 'A human has to approve this first.',
    todo: 'Get the approval and repeat the call with it.',
    retryable: false,
  },
  'policy.approval-used': {
    meaning: 'What people approved of was used: it is good for one call.',
    todo: 'Repeat the call without the answer, and have people approve of the new request.',
    retryable: false,
  },
  'policy.denied': {
    meaning: 'A rule denies this, or none allows it.',
    todo: 'See parley why for the rule.',
    retryable: false,
  },
  'policy.evaluation-failed': {
    meaning: 'A rule could not be evaluated, which denies.',
    todo: 'Correct the rule or the input.',
    retryable: false,
  },
  'policy.invalid': {
    meaning: 'A policy document has mistakes; nothing of it was loaded.',
    todo: 'Correct the lines that the message names.',
    retryable: false,
  },
  'policy.not-signed': {
    meaning: 'The policy documents were not released by the owner that the node names, for this agent, as they are.',
    todo: 'Have exactly these files signed: parley policy sign.',
    retryable: false,
  },
  'policy.outdated': {
    meaning: 'The policy documents were released under a lower number than some that were loaded before.',
    todo: 'Load the latest release, or sign these again under a higher number.',
    retryable: false,
  },
  'policy.rate-limited': {
    meaning: 'A limit of a policy rule is used up for this agent and capability.',
    todo: 'Wait for retryAfterMs.',
    retryable: true,
  },
  'saga.aborted': {
    meaning: 'A human gave the saga up; effects of it may stand.',
    todo: 'Look at what the human\'s decision in its journal says.',
    retryable: false,
  },
  'saga.backlog-full': {
    meaning: 'Too many sagas of this definition wait for a place here.',
    todo: 'Start it later, or let more run at a time.',
    retryable: true,
  },
  'saga.bodies-erased': {
    meaning: 'The inputs and outputs of the saga cannot be read: the key of its bodies was destroyed, or is not given to this process.',
    todo: 'Give createSagas the data keys; what was erased stays erased.',
    retryable: false,
  },
  'saga.cancel-refused': {
    meaning: 'The saga is past its pivot or has ended, so it cannot be cancelled.',
    todo: 'Let it end, or undo its effects by other means.',
    retryable: false,
  },
  'saga.cancelled': {
    meaning: 'The saga was cancelled and is undone.',
    todo: 'Nothing, if it was meant.',
    retryable: false,
  },
  'saga.closed': {
    meaning: 'This instance stopped driving the saga; its journal is whole.',
    todo: 'Resume it with another instance of the same name.',
    retryable: true,
  },
  'saga.command-closed': {
    meaning: 'The saga said that it is over: its participant does, undoes and tells nothing more for it.',
    todo: 'Nothing: the command came late.',
    retryable: false,
  },
  'saga.command-expired': {
    meaning: 'The expiry of the command is over here: what became of it may be forgotten.',
    todo: 'Look at the participant before doing or undoing it by hand.',
    retryable: false,
  },
  'saga.command-invalid': {
    meaning: 'The command of a saga step is malformed or incomplete.',
    todo: 'Send the saga fields of the spec.',
    retryable: false,
  },
  'saga.compensated': {
    meaning: 'The saga was undone.',
    todo: 'Look at the reason in details.',
    retryable: false,
  },
  'saga.decision-refused': {
    meaning: 'The saga gives nothing to decide so, or this person may not, or nobody may here.',
    todo: 'See what the saga is at, and decide about that as a person of its owner; the agent hears them if createSagas has verifyHuman.',
    retryable: false,
  },
  'saga.definition-invalid': {
    meaning: 'The saga definition is refused.',
    todo: 'Correct what the message names.',
    retryable: false,
  },
  'saga.ending-unproven': {
    meaning: 'An exported saga claims an end that does not follow from what was done.',
    todo: 'Treat the export as tampered with: the reason names the steps that are open.',
    retryable: false,
  },
  'saga.id-conflict': {
    meaning: 'A saga with this id was started with another definition or input.',
    todo: 'Use a new id.',
    retryable: false,
  },
  'saga.id-invalid': {
    meaning: 'The id cannot name a saga.',
    todo: 'Use 1 to 128 letters, digits, dots, underscores, colons and hyphens.',
    retryable: false,
  },
  'saga.interrupted': {
    meaning: 'The orchestrator stopped while the step was under way: what was done is unknown.',
    todo: 'Nothing: the step is looked up.',
    retryable: true,
  },
  'saga.journal-corrupt': {
    meaning: 'The journal of the saga has a gap or a broken chain; that saga is stopped.',
    todo: 'Restore the store; the other sagas run on.',
    retryable: false,
  },
  'saga.key-busy': {
    meaning: 'Another saga of the same key comes first.',
    todo: 'Nothing: it begins when that one is over.',
    retryable: true,
  },
  'saga.locked': {
    meaning: 'Another saga keeps the target of the command to itself until it is over.',
    todo: 'Try again: the step\'s retry plan says how often and how patiently.',
    retryable: true,
  },
  'saga.mapping-failed': {
    meaning: 'A mapper of the definition threw, or returned what JSON cannot hold.',
    todo: 'Correct the mapper.',
    retryable: false,
  },
  'saga.not-erasable': {
    meaning: 'The saga has no data key: its bodies stand in the journal as they are.',
    todo: 'Give createSagas data keys for later sagas; this one loses its bodies when it is compacted.',
    retryable: false,
  },
  'saga.not-over': {
    meaning: 'The saga is still under way, or waits for a decision.',
    todo: 'Wait for its end, or abort it first.',
    retryable: false,
  },
  'saga.not-owned': {
    meaning: 'Another instance has taken the saga over.',
    todo: 'Nothing: the other instance goes on.',
    retryable: false,
  },
  'saga.outcome-unknown': {
    meaning: 'The command was begun, and its participant does not know how it ended.',
    todo: 'Ask whoever the effect is at, by the command\'s key.',
    retryable: false,
  },
  'saga.owner-changed': {
    meaning: 'The saga began under another owner, whose commands alone its participants know.',
    todo: 'Resume it with an issuer of that owner.',
    retryable: false,
  },
  'saga.plan-unsupported': {
    meaning: 'The journal holds a plan or an event that this version does not run.',
    todo: 'Run it with a later version.',
    retryable: false,
  },
  'saga.proof-altered': {
    meaning: 'An entry of an exported saga is not the one that its journal had there: the file was changed since.',
    todo: 'Do not believe the file; ask for a fresh export of the store itself.',
    retryable: false,
  },
  'saga.proof-malformed': {
    meaning: 'A line of an exported saga is not as an export writes it.',
    todo: 'Treat the export as tampered with from this line on, or export it again.',
    retryable: false,
  },
  'saga.proof-truncated': {
    meaning: 'An exported saga ends before its own end, or lacks an entry that was seen before.',
    todo: 'Export it again; if its store says the same, restore the store.',
    retryable: false,
  },
  'saga.receipt-invalid': {
    meaning: 'A receipt in an exported saga is of another command, step, attempt, name or answer than it stands for.',
    todo: 'Treat the export as tampered with.',
    retryable: false,
  },
  'saga.sealed': {
    meaning: 'The saga is over, and its journal was compacted to a summary since, without its output and its receipts.',
    todo: 'Keep outputs and exports that are asked for later, or raise keepEndedMs.',
    retryable: false,
  },
  'saga.signal-refused': {
    meaning: 'The saga takes no such signal now.',
    todo: 'See what the saga waits for.',
    retryable: false,
  },
  'saga.stale-epoch': {
    meaning: 'The command comes from an orchestrator that lost the saga.',
    todo: 'Nothing: the new owner goes on.',
    retryable: false,
  },
  'saga.stuck': {
    meaning: 'Neither the way forward nor the way back of a step can be proven; a human has to decide.',
    todo: 'See at which step and why with parley saga show; then retry, skip or resolve the step, or abort the saga.',
    retryable: false,
  },
  'saga.tombstoned': {
    meaning: 'The command was undone before it came, so it is refused for ever.',
    todo: 'Nothing: the saga is on its way back.',
    retryable: false,
  },
  'saga.unknown': {
    meaning: 'No saga has this id here.',
    todo: 'Check the id.',
    retryable: false,
  },
  'saga.version-conflict': {
    meaning: 'The same version has another structure.',
    todo: 'Give the changed definition a new version.',
    retryable: false,
  },
  'saga.version-unknown': {
    meaning: 'No registered definition has the version of this saga.',
    todo: 'Register that version, or undo the saga.',
    retryable: false,
  },
  'saga.wait-lapsed': {
    meaning: 'What the saga waited for did not come in time, so it is undone.',
    todo: 'Start it anew, if it is still wanted.',
    retryable: false,
  },
  'store.append-too-large': {
    meaning: 'The entries of one append are more than the store takes at once.',
    todo: 'Keep large bodies apart, by hash, or raise the limit of the broker.',
    retryable: false,
  },
  'store.closed': {
    meaning: 'The store is closed.',
    todo: 'Open it again.',
    retryable: false,
  },
  'store.corrupt': {
    meaning: 'The store holds something that cannot be read.',
    todo: 'Restore it from a backup; do not go on.',
    retryable: false,
  },
  'store.locked': {
    meaning: 'Another process has the store open.',
    todo: 'Stop that process, or use another file.',
    retryable: false,
  },
  'store.name-invalid': {
    meaning: 'The name of a stream or a key is empty, too long or not well-formed text.',
    todo: 'Use a shorter, well-formed name.',
    retryable: false,
  },
  'store.open-failed': {
    meaning: 'The store cannot be opened.',
    todo: 'Check the path or the broker, its rights and the disk.',
    retryable: false,
  },
  'store.outcome-unknown': {
    meaning: 'Whether a write was kept could not be found out.',
    todo: 'Read before writing again.',
    retryable: false,
  },
  'store.position-conflict': {
    meaning: 'The stream has another last position than the writer expected.',
    todo: 'Read again: somebody else wrote.',
    retryable: false,
  },
  'store.revision-conflict': {
    meaning: 'The key has another revision than the writer expected.',
    todo: 'Read again: somebody else wrote.',
    retryable: false,
  },
  'store.unavailable': {
    meaning: 'The store cannot be reached; nothing was written.',
    todo: 'Look at the connection to it, and try again.',
    retryable: true,
  },
  'store.unsafe-config': {
    meaning: 'The store\'s broker or its configuration would lose or change what it acknowledges.',
    todo: 'Change what the message names, or use another store.',
    retryable: false,
  },
  'store.write-failed': {
    meaning: 'The store could not write; nothing of the batch was kept.',
    todo: 'Check the disk.',
    retryable: true,
  },
  'stream.part-invalid': {
    meaning: 'A part of a stream does not fit the contract, or came without credit.',
    todo: 'Correct the callee.',
    retryable: false,
  },
  'stream.part-lost': {
    meaning: 'A part of a stream did not arrive: what the callee did is unknown.',
    todo: 'Start the stream again if the capability only reads; else look up the outcome.',
    retryable: true,
  },
  'transport.closed': {
    meaning: 'The transport is closed.',
    todo: 'Open a new one.',
    retryable: false,
  },
  'transport.connect-failed': {
    meaning: 'The bus cannot be reached or refused the connection.',
    todo: 'Check the URL, the server and the credentials.',
    retryable: true,
  },
  'transport.disconnected': {
    meaning: 'There is no connection to the bus: nothing was sent.',
    todo: 'Wait for the reconnect.',
    retryable: true,
  },
  'transport.no-listener': {
    meaning: 'The bus says that nobody listens at the recipient: nothing was delivered.',
    todo: 'Wait for retryAfterMs, or ask another instance.',
    retryable: true,
  },
  'transport.not-permitted': {
    meaning: 'The bus does not permit this connection to use the subject.',
    todo: 'Give the connection the permission, or use another subject.',
    retryable: false,
  },
  'transport.payload-too-large': {
    meaning: 'The payload is larger than the bus takes.',
    todo: 'Send less.',
    retryable: false,
  },
  'transport.subject-invalid': {
    meaning: 'A subject or token has characters that the bus gives a meaning.',
    todo: 'Use letters, digits, - and _.',
    retryable: false,
  },
  'trust.attestation-refused': {
    meaning: 'The attestation cannot be taken.',
    todo: 'See the reason: it is malformed, expired, older than one that is held, or about the rater\'s own owner.',
    retryable: false,
  },
  'trust.below-threshold': {
    meaning: 'The effective trust is below what this risk needs.',
    todo: 'See the reason (`parley why HOP`): good outcomes raise trust up to a ceiling, a credential may grant the capability by name (no pattern), another agent may have it.',
    retryable: false,
  },
  'trust.entry-refused': {
    meaning: 'The trust ledger has no room for this, or cannot be written.',
    todo: 'See the reason: too much waits for the store, the store is gone, or the ledger was opened for reading.',
    retryable: false,
  },
  'trust.evidence-duplicate': {
    meaning: 'The evidence was taken before.',
    todo: 'Nothing: it counts once.',
    retryable: false,
  },
  'trust.evidence-forged': {
    meaning: 'The evidence is not signed by the rater that it speaks for.',
    todo: 'Drop it; whoever sent it is not who it says, or passes on what was changed.',
    retryable: false,
  },
  'trust.evidence-from-future': {
    meaning: 'The evidence is more than a minute ahead of the clock.',
    todo: 'Set the clocks of rater and node.',
    retryable: false,
  },
  'trust.evidence-gap': {
    meaning: 'Evidence of this rater is missing before this batch.',
    todo: 'Ask the rater for its batches after the last count that was taken.',
    retryable: true,
  },
  'trust.evidence-invalid': {
    meaning: 'The evidence is malformed, or a value in it is out of range.',
    todo: 'Make it as the trust ledger writes it.',
    retryable: false,
  },
  'trust.evidence-late': {
    meaning: 'The evidence is older than five minutes, so it can no longer be folded in its place.',
    todo: 'Share evidence sooner; what is lost here is in the rater\'s own ledger.',
    retryable: false,
  },
  'trust.peer-unknown': {
    meaning: 'The evidence is about a peer that no anchor vouches for.',
    todo: 'Add an anchor for its owner, or ignore it.',
    retryable: false,
  },
  'trust.quarantined': {
    meaning: 'The peer behaved unlike itself, or failed or was denied too often, and is put apart for a while.',
    todo: 'Look at the reason in `parley trust explain`; wait, or lift the quarantine.',
    retryable: true,
  },
  'trust.self-evidence': {
    meaning: 'Evidence about oneself, or about names of one\'s own owner, counts nothing.',
    todo: 'Let others observe.',
    retryable: false,
  },
}

/** A code of /protocol/errors.json. */
export type ErrorCode = keyof typeof errorCodes

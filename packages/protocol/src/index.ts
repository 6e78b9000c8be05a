export {
  brokerPermissions,
  operationsInboxPrefix,
  type BrokerPermission,
  type BrokerPlace,
  type BrokerRole,
  type SubjectPermissions,
} from './broker-permission.ts'
export { capabilityCovers, isCapability, isCapabilityPattern, type Capability, type Risk } from './capability.ts'
export { formatAgentId, isAgentName, type AgentId, type AgentName, type Did, type InstanceDid } from './did.ts'
export { signingDomains, type SigningDomain } from './domain.ts'
export { envelopeTypes, type Envelope, type EnvelopeHeader, type EnvelopeType, type SagaHeader } from './envelope.ts'
export { errorCodes, type ErrorCode, type ErrorFacts } from './error-codes.ts'
export {
  decodeFrame,
  encodeFrame,
  envelopeBytes,
  frameSignedBytes,
  hashEnvelopes,
  iatpVersion,
  suites,
  type Frame,
  type FramedEnvelope,
  type UnsignedEnvelope,
} from './frame.ts'
export { listPermissions, scopedPlace } from './list-permissions.ts'
export { commitBody, hashLeaf, hashRoot, type Sha256 } from './leaf.ts'
export { limits } from './limits.ts'
export { isMeshError, MeshError, type ErrorDetails } from './mesh-error.ts'
export { knownHeaderFields, parseHeader } from './parse-header.ts'
export { allowed, refuse, type Refusal, type Verdict } from './refusal.ts'
export { createReplayWindow, type ReplayWindow } from './replay-window.ts'
export {
  formatBounceSubject,
  formatEventPattern,
  formatEventSubject,
  formatInboxPattern,
  formatInboxSubject,
  formatInstanceToken,
  formatMailboxToken,
  parseBounceSubject,
  parseSubject,
  type SubjectFacts,
} from './subject.ts'

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
export { commitBody, hashLeaf, hashRoot, type Sha256 } from './leaf.ts'
export { limits } from './limits.ts'
export { isMeshError, MeshError, type ErrorDetails } from './mesh-error.ts'
export { knownHeaderFields, parseHeader } from './parse-header.ts'
export { allowed, refuse, type Refusal, type Verdict } from './refusal.ts'
export { createReplayWindow, type ReplayWindow } from './replay-window.ts'
export {
  formatEventPattern,
  formatEventSubject,
  formatInboxPattern,
  formatInboxSubject,
  parseSubject,
  type SubjectFacts,
} from './subject.ts'
export { formatAmount, isMoney, isUsage, parseAmount, type Money, type Usage } from './usage.ts'

export { encodeBase64url } from './base64url.ts'
export { formatId } from './format-id.ts'
export {
  brokerPermissions,
  operationsInboxPrefix,
  type BrokerPermission,
  type BrokerPlace,
  type BrokerRole,
  type SubjectPermissions,
} from './broker-permission.ts'
export {
  capabilityCovers,
  createCoverage,
  isCapability,
  isCapabilityPattern,
  type Capability,
  type Risk,
} from './capability.ts'
export { formatAgentId, isAgentName, type AgentId, type AgentName, type Did, type InstanceDid } from './did.ts'
export { signingDomains, type SigningDomain } from './domain.ts'
export {
  commandEndings,
  envelopeTypes,
  type BodyRef,
  type CommandEnding,
  type Envelope,
  type EnvelopeHeader,
  type EnvelopeType,
  type SagaHeader,
} from './envelope.ts'
export { errorCodes, type ErrorCode, type ErrorFacts } from './error-codes.ts'
export {
  createEvidence,
  decodeEvidence,
  encodeEvidence,
  hasBody,
  type Evidence,
  type EvidenceBody,
  type EvidenceFrame,
} from './evidence.ts'
export {
  decodeFrame,
  hashFrame,
  readFrameHead,
  splitFrame,
  type SplitFrame,
  encodeFrame,
  envelopeBytes,
  frameSignedBytes,
  hashEnvelopes,
  iatpVersion,
  signatureBytes,
  suites,
  type Frame,
  type FramedEnvelope,
  type UnsignedEnvelope,
} from './frame.ts'
export { listPermissions, scopedPlace } from './list-permissions.ts'
export { commitBody, hashLeaf } from './leaf.ts'
export { limits } from './limits.ts'
export { createMerkleFrontier, type MerkleFrontier } from './merkle/merkle-frontier.ts'
export { hashMerkleLeaf, hashMerkleNode, isSameHash } from './merkle/merkle-hash.ts'
export {
  computeInclusionLength,
  computeInclusionRoot,
  computeMerkleRoot,
  createConsistencyProof,
  createInclusionProof,
  verifyConsistencyProof,
  verifyInclusionProof,
  type ConsistencyClaim,
  type InclusionClaim,
} from './merkle/merkle-proof.ts'
export { isMeshError, MeshError, type ErrorDetails } from './mesh-error.ts'
export { isSameChoice, negotiate, type Choice, type Offer } from './negotiation.ts'
export { isHeaderField, knownHeaderFields, parseHeader } from './parse-header.ts'
export { allowed, refuse, type Refusal, type Verdict } from './refusal.ts'
export { createReplayWindow, type ReplayWindow } from './replay-window.ts'
export type { Sha256 } from './sha256.ts'
export {
  formatBounceSubject,
  formatEventPattern,
  formatEventSubject,
  formatInboxPattern,
  formatInboxSubject,
  formatInstanceToken,
  formatMailboxPattern,
  formatMailboxSubject,
  formatMailboxToken,
  parseBounceSubject,
  parseSubject,
  type SubjectFacts,
} from './subject.ts'
export { isSurelyReadable } from './surely-readable.ts'
export { assertPattern, assertSubject, patternMatches } from './subject-syntax.ts'
export { formatAmount, isMoney, isUsage, parseAmount, type Money, type Usage } from './usage.ts'
export { verifyEvidence, type SignatureCheck, type VerifiedEvidence } from './verify-evidence.ts'
export { formatTime } from './format-time.ts'

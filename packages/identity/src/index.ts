export {
  signAttestation,
  verifyAttestation,
  type AttestationDraft,
  type VerifiedAttestation,
} from './attestation/attestation.ts'
export { createKeyAgreement, type KeyAgreement, type KeyShare, type SecretExporter } from './agreement/key-agreement.ts'
export { createAnchors, parseAnchor, type Anchor, type Anchors } from './credential/anchor.ts'
export { findBeyondScope, isCapabilityScope, type CapabilityScope } from './credential/capability-scope.ts'
export { createCredentialMemory, type CredentialMemory } from './credential/credential-memory.ts'
export { signCredential, type AgentKind, type Credential } from './credential/credential.ts'
export { signIssuerStatement, type IssuerStatement } from './credential/issuer-statement.ts'
export type { Assurance, SignIn } from './credential/sign-in.ts'
export { verifyLapsedCredential } from './credential/verify-lapsed-credential.ts'
export {
  verifyCredential,
  type CredentialExpectation,
  type PresentedCredential,
  type VerifiedCredential,
} from './credential/verify-credential.ts'
export {
  signDeclaration,
  verifyDeclaration,
  type DeclarationDraft,
  type DeclarationExpectation,
  type Declarer,
  type VerifiedDeclaration,
} from './declaration/declaration.ts'
export { hashChain } from './delegation/chain-hash.ts'
export type { Allowance } from './delegation/allowance.ts'
export { decideLabels } from './delegation/labels.ts'
export { decideArguments, type Condition, type Constraints } from './delegation/constraints.ts'
export {
  chainGrants,
  chainPermits,
  verifyDelegationChain,
  type ChainExpectation,
  type VerifiedChain,
  type VerifiedLink,
} from './delegation/delegation-chain.ts'
export {
  decodeDelegation,
  extendDelegation,
  signDelegation,
  type DecodedDelegation,
  type Delegation,
  type Delegator,
} from './delegation/delegation.ts'
export {
  initFileIssuer,
  openFileIssuer,
  renewIssuerStatement,
  type FileIssuerOptions,
  type FileIssuerSetup,
} from './issuer/file-issuer.ts'
export { createGivenIssuer } from './issuer/given-issuer.ts'
export { openOwner, readAnchor, type IssuerFolder } from './issuer/issuer-folder.ts'
export { appendOrder, openOrderFolder, readOrders, type OrderFolder } from './issuer/order-folder.ts'
export { createKeyIssuer, defaultCredentialMs, type KeyIssuerOptions, type NameAllowance } from './issuer/key-issuer.ts'
export { createLocalIssuer, type LocalIssuer, type LocalIssuerOptions } from './issuer/local-issuer.ts'
export type { OrderNews } from './issuer/order-log.ts'
export type { DelegateRequest, JoinRequest, MadeJoinToken, OwnerIssuer } from './issuer/owner-issuer.ts'
export { admissionMs, isAdmission, signAdmission, verifyAdmission, type Admission } from './join/admission.ts'
export { signJoinGrant, verifyJoinGrant, type JoinGrant } from './join/join-grant.ts'
export {
  createJoinToken,
  defaultJoinTokenMs,
  formatJoinToken,
  parseJoinToken,
  type JoinLogin,
  type JoinToken,
  type JoinTokenDraft,
} from './join/join-token.ts'
export {
  createJoinSeats,
  defaultRejoinMs,
  joinTokenMethod,
  type GrantedReturn,
  type JoinSeats,
} from './join/join-seats.ts'
export {
  drawRejoinAttempt,
  hashJoinText,
  readRejoinFile,
  writeRejoinFile,
  type RejoinAttempt,
  type RejoinFolder,
  type RejoinState,
} from './join/rejoin-file.ts'
export {
  signPolicyRelease,
  verifyPolicyRelease,
  type PolicyRelease,
  type VerifiedPolicyRelease,
} from './policy-release/policy-release.ts'
export { createWebResolver, type WebResolverOptions } from './did-web/did-web-resolver.ts'
export { isOwnerDid, isWebDid } from './did-web/did-web-url.ts'
export type { FetchOptions } from './did-web/fetch-document.ts'
export {
  createOwnerKeySet,
  formatDidDocument,
  hashOwnerKeySet,
  readOwnerKeySet,
  type OwnerKeySet,
} from './did-web/owner-key-set.ts'
export { isPublicAddress } from './did-web/public-address.ts'
export { refreshAnchors, resolveAnchors } from './did-web/resolve-anchors.ts'
export type { JwtClaims } from './jwt/claim.ts'
export { jwtTypes, type JwtType } from './jwt/jwt-type.ts'
export { signJwt, type UnsignedClaims } from './jwt/sign-jwt.ts'
export { maxJwtLength, verifyJwt, type DecodedJwt, type JwtExpectation, type OwnerKeys } from './jwt/verify-jwt.ts'
export { decideDidKey, formatDidKey, isInstanceDid, parseDidKey, type DidKeyVerdict } from './key/did-key.ts'
export { createDidResolver, resolveDidKey } from './key/did-resolver.ts'
export {
  ensureInstanceKeys,
  generateInstanceKeys,
  initInstanceKeys,
  openInstanceKeys,
  type InstanceKeyFolder,
  type InstanceKeys,
} from './key/instance-keys.ts'
export { readKeyFile, writeKeyFile, type KeyFileOptions } from './key/key-file.ts'
export { createKeySigner, type KeySigner } from './key/key-signer.ts'
export { createPortableSigner } from './key/portable-signer.ts'
export { verifySignaturePortably } from './key/portable-signature.ts'
export { isSafePublicKey } from './key/point.ts'
export { generateSeed } from './key/seed.ts'
export { verifySignature } from './key/signature.ts'
export {
  createNatsAccount,
  mintNatsUser,
  signNatsAccount,
  type NatsAccount,
  type NatsAccountFacts,
  type NatsAccountSeeds,
  type NatsJoinerRequest,
  type NatsUserRequest,
} from './nats/nats-account.ts'
export {
  initNatsAccount,
  mintNatsUserFrom,
  openNatsAccount,
  readNatsAccount,
  type NatsAccountFolder,
} from './nats/nats-account-folder.ts'
export {
  createNkey,
  formatNatsCredentials,
  generateUserNkey,
  isUserNkey,
  type Nkey,
  type NkeyKind,
} from './nats/nkey.ts'
export { createOrderBook, type OrderBook } from './order/order-book.ts'
export { defaultOrderStaleness, type OrderStaleness } from './order/order-freshness.ts'
export { signOrderHead, verifyOrderHead, type OrderHead, type VerifiedOrderHead } from './order/order-head.ts'
export {
  orderKinds,
  signOrder,
  verifyOrder,
  type OrderDraft,
  type OrderKind,
  type OrderTerms,
  type VerifiedOrder,
} from './order/order.ts'
export type { Pin } from './order/timed-orders.ts'
export { peekClaims } from './jwt/peek-claims.ts'

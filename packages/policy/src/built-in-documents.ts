import type { PolicySource } from './policy-source.ts'

/**
 * Allows what both credentials grant and denies all else. Stands first in every set: no document can widen it.
 */
export const credentialsOnly: PolicySource = {
  file: 'parley:credentials-only',
  text: `apiVersion: parley/v1
name: parley:credentials-only
default: deny
rules:
  - name: both-credentials-grant
    when: caller.grants && callee.grants
    effect: allow
`,
}

/**
 * Asks for trust by risk. The judged side is \`peer\`: the caller inbound, the callee outbound. Undo and lookup are exempt,
 * because a peer that lost its trust must still be able to unwind what it did.
 */
export const defaults: PolicySource = {
  file: 'parley:defaults',
  text: `apiVersion: parley/v1
name: parley:defaults
default: allow
rules:
  - name: read-needs-probationary
    when: risk == 'read' && phase == 'do' && peer.tier == 'untrusted'
    effect: deny
    code: trust.below-threshold
    reason: reading needs trust of tier probationary or higher
  - name: reversible-needs-standard
    when: risk == 'reversible' && phase == 'do' && peer.tier in ['untrusted', 'probationary']
    effect: deny
    code: trust.below-threshold
    reason: reversible work needs trust of tier standard or higher
  - name: irreversible-needs-trusted
    when: >-
      risk == 'irreversible' && phase == 'do' &&
      peer.tier in ['untrusted', 'probationary', 'standard'] &&
      (peer.tier == 'untrusted' || !peer.grantsByName)
    effect: deny
    code: trust.below-threshold
    reason: irreversible work needs trust of tier trusted or higher, or a credential that grants it by name
  - name: administrative-needs-a-human
    when: risk == 'administrative' && phase == 'do' && caller.kind != 'human'
    effect: deny
    code: trust.below-threshold
    reason: no score is enough for administrative work, it needs the credential of a human
`,
}

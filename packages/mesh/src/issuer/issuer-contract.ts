import { type Contract, defineContract } from '../contract/contract.ts'
import type { Schema } from '../contract/schema.ts'
import { issuerAnswerSchema, issuerRequestSchema, type IssuerAnswer, type IssuerRequest } from './issuer-schema.ts'

interface Ask {
  readonly input: Schema<IssuerRequest>
  readonly output: Schema<IssuerAnswer>
  readonly risk: 'reversible'
}

const ask: Ask = { input: issuerRequestSchema, output: issuerAnswerSchema, risk: 'reversible' }

/**
 * What an issuer serves on the mesh: `issuer:issue` to whoever an attestor admits, `issuer:renew` to whoever has, or had
 * until lately, a credential of the same owner. Both may be asked again: the answer is a credential for the same instance.
 */
export const issuerContract: Contract<{ readonly issue: Ask; readonly renew: Ask }> = defineContract('issuer', {
  issue: ask,
  renew: ask,
})

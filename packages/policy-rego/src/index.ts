export { loadRego, type LoadRegoOptions } from './load-rego.ts'
export type { RegoSource } from './rego-source.ts'

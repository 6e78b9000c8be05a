import { systemHash } from '@parley/ports'
import type { Plan } from './plan.ts'

/**
 * Computes what pins a version to its structure: base64url SHA-256 over names, order, groups, pivot, capabilities and
 * contract hashes. Deadlines, retries, providers and function bodies may change without a new version.
 */
export function fingerprintPlan(name: string, plan: Plan): string {
  const text = JSON.stringify(['parley/saga/1', name, outline(plan)])
  return Buffer.from(systemHash(new TextEncoder().encode(text))).toString('base64url')
}

function outline(plan: Plan): readonly unknown[] {
  return plan.map((node) =>
    node.kind === 'step'
      ? ['step', node.name, node.capability, node.hash, node.pivot]
      : ['parallel', node.name, node.branches.map(outline)],
  )
}

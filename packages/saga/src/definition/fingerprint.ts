import type { Schema } from '@parley/mesh'
import { systemHash } from '@parley/ports'
import { sortKeys } from '../json-value.ts'
import type { Plan } from './plan.ts'

/**
 * Computes what pins a version to its structure: base64url SHA-256 over names, order, groups, pivot, capabilities and
 * contract hashes. Deadlines, retries, providers and function bodies may change without a new version.
 */
export function fingerprintPlan(name: string, plan: Plan): string {
  const text = JSON.stringify(['parley/saga/1', name, outline(plan)])
  return hashText(text)
}

/** Hashes a schema as it prints itself: base64url SHA-256 of its JSON Schema, whatever the order of keys. */
export function hashSchema(schema: Schema): string {
  return hashText(JSON.stringify(sortKeys(schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }))))
}

function hashText(text: string): string {
  return Buffer.from(systemHash(new TextEncoder().encode(text))).toString('base64url')
}

function outline(plan: Plan): readonly unknown[] {
  return plan.map((node) => {
    if (node.kind === 'parallel') return ['parallel', node.name, node.branches.map(outline)]
    if (node.kind === 'wait') return ['wait', node.name, node.for, node.hash ?? '']
    return ['step', node.name, node.capability, node.hash, node.pivot]
  })
}

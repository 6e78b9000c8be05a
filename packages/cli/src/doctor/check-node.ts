import { assertNodeVersion } from '../node-version.ts'
import { failed, type Finding } from './finding.ts'

/** Checks that this Node is new enough. */
export function checkNode(version: string): Finding {
  try {
    assertNodeVersion(version)
    return { check: 'node', level: 'ok', text: `Node ${version}` }
  } catch (error) {
    return failed('node', error)
  }
}

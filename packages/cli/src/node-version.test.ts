import { describe, expect, it } from 'vitest'
import { assertNodeVersion } from './node-version.ts'

describe('assertNodeVersion', () => {
  it.each(['v22.15.0', 'v22.20.1', 'v24.0.0', 'v100.1.0'])('takes %s', (version) => {
    expect(() => {
      assertNodeVersion(version)
    }).not.toThrow()
  })

  it.each(['v22.14.9', 'v20.20.2', 'v18.0.0', 'v9.11.2', ''])('refuses %j, saying what is needed', (version) => {
    expect(() => {
      assertNodeVersion(version)
    }).toThrow(expect.objectContaining({ code: 'cli.unsupported-node', todo: 'Use Node 22.15 or later.' }))
  })
})

import { describe, expect, it } from 'vitest'
import { readEnv } from './read-env.ts'

describe('readEnv', () => {
  it('takes an empty value for an absent one', () => {
    expect(readEnv({ NATS_URL: '', PARLEY_PASSPHRASE: '', NO_COLOR: '' })).toEqual({ noColour: false })
    expect(readEnv({ NATS_URL: 'nats://a', PARLEY_PASSPHRASE: 'p', NO_COLOR: '0', OTHER: 'x' })).toEqual({
      natsUrl: 'nats://a',
      passphrase: 'p',
      noColour: true,
    })
  })
})

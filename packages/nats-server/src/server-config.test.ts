import { describe, expect, it } from 'vitest'
import { formatServerConfig } from './server-config.ts'

const plain = { host: '127.0.0.1', port: -1, portsDir: '/tmp/a "b"', jetstream: undefined, extra: 'max_payload: 2MB' }

describe('formatServerConfig', () => {
  it('quotes paths and keeps the extra lines', () => {
    expect(formatServerConfig(plain)).toBe(
      'host: "127.0.0.1"\nport: -1\nports_file_dir: "/tmp/a \\"b\\""\nmax_payload: 2MB\n',
    )
  })
  it('says that each write is synced only where it is wanted', () => {
    const text = (syncAlways: boolean): string =>
      formatServerConfig({ ...plain, jetstream: { storeDir: '/s', syncAlways } })
    expect(text(true)).toContain('sync_interval: always')
    expect(text(false)).not.toContain('sync_interval')
  })
})

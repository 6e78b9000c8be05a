import { describe, expect, it } from 'vitest'
import { formatDeb822Source, parseDeb822Sources, parseOneLineSources } from './apt-sources.ts'

describe('parseOneLineSources', () => {
  it('reads archives with and without options and skips everything else', () => {
    const text = [
      '# deb https://commented.example/debian sid main',
      'deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] https://mirror.example/debian bookworm main contrib # own',
      'deb-src https://mirror.example/debian bookworm main',
      'deb https://mirror.example/debian bookworm-updates main',
      'nonsense',
    ].join('\n')
    expect(parseOneLineSources(text)).toEqual([
      {
        uri: 'https://mirror.example/debian',
        suites: ['bookworm'],
        components: ['main', 'contrib'],
        signedBy: '/usr/share/keyrings/a.gpg',
      },
      { uri: 'https://mirror.example/debian', suites: ['bookworm-updates'], components: ['main'] },
    ])
  })
  it('never carries over that an archive is trusted without a signature', () => {
    const [source] = parseOneLineSources('deb [trusted=yes] https://mirror.example/debian sid main')
    expect(source && formatDeb822Source(source, 'sid')).not.toMatch(/trusted/i)
  })
})

describe('parseDeb822Sources', () => {
  const stanza =
    'Types: deb deb-src\n# a remark\nURIs: https://a.example/debian https://b.example/debian\nSuites: sid\nComponents: main\n'
  it('reads one source for each URI', () => {
    expect(parseDeb822Sources(stanza).map((source) => source.uri)).toEqual([
      'https://a.example/debian',
      'https://b.example/debian',
    ])
  })
  it('skips source-only and disabled stanzas', () => {
    expect(parseDeb822Sources(`${stanza}Enabled: no\n\n${stanza.replace('deb deb-src', 'deb-src')}`)).toEqual([])
  })
  it('keeps an embedded key whole', () => {
    const key =
      'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBA==\n -----END PGP PUBLIC KEY BLOCK-----\n'
    const [source] = parseDeb822Sources(stanza + key)
    expect(source && parseDeb822Sources(formatDeb822Source(source, 'sid'))).toEqual([source])
    expect(source?.signedBy).toContain('\n mQINBA==\n')
  })
})

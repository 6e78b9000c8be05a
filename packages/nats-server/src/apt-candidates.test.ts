import { describe, expect, it } from 'vitest'
import { listAptCandidates, parseSystemRelease } from './apt-candidates.ts'

const bookworm = { id: 'debian', codename: 'bookworm' }
const archive = {
  uri: 'https://mirror.example/debian',
  suites: ['bookworm', 'bookworm-updates'],
  components: ['main', 'contrib'],
  signedBy: '/keys.gpg',
}

describe('parseSystemRelease', () => {
  it('reads quoted and bare values', () => {
    expect(parseSystemRelease('VERSION_ID="24.04"\nVERSION_CODENAME=noble\nID="ubuntu"\n')).toEqual({
      id: 'ubuntu',
      codename: 'noble',
    })
  })
})

describe('listAptCandidates', () => {
  it('takes the newest suite of Debian first and its own last', () => {
    expect(listAptCandidates(bookworm, [archive]).map(({ suite }) => suite)).toEqual(['sid', 'trixie', 'bookworm'])
  })
  it('keeps the keyring of the archive and asks for main only', () => {
    expect(listAptCandidates(bookworm, [archive])[0]?.source).toEqual({ ...archive, components: ['main'] })
  })
  it('takes nothing from an archive of somebody else', () => {
    const others = [
      { uri: 'https://vendor.example/linux', suites: ['bookworm'], components: ['main'] },
      { uri: 'https://mirror.example/debian-security', suites: ['bookworm-security'], components: ['main'] },
    ]
    expect(listAptCandidates(bookworm, others)).toEqual([])
  })
  it('joins the lines of one-line archives', () => {
    const lines = ['bookworm', 'bookworm-updates'].map((suite) => ({
      ...archive,
      uri: 'https://x.example/d',
      suites: [suite],
    }))
    expect(listAptCandidates(bookworm, lines)).toHaveLength(3)
  })
  it('takes only the own suite of Ubuntu, with universe', () => {
    const ubuntu = { uri: 'https://mirror.example/ubuntu', suites: ['noble', 'noble-updates'], components: ['main'] }
    expect(listAptCandidates({ id: 'ubuntu', codename: 'noble' }, [ubuntu])).toEqual([
      { source: { ...ubuntu, components: ['main', 'universe'] }, suite: 'noble' },
    ])
  })
  it('has nothing for another system', () => {
    expect(listAptCandidates({ id: 'alpine' }, [archive])).toEqual([])
  })
})

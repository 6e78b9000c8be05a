import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createWebResolver } from './did-web-resolver.ts'
import { formatDidDocument } from './owner-key-set.ts'
import { startTestSite } from './test-site.fixture.ts'

const random = createSeededRandom(9)
const keys = [createKeySigner(generateSeed(random)).did]
const documentOf = (did: string): string => JSON.stringify(formatDidDocument(did, { threshold: 1, keys }))

describe('createWebResolver', () => {
  it('fetches a document by https from the place that the DID names', async () => {
    const paths: string[] = []
    await using site = await startTestSite((request, response) => {
      paths.push(request.url ?? '')
      response.end(documentOf(`${site.did('acme.test')}:owners`))
    })
    const resolver = createWebResolver({ clock: createManualClock(), ...site.options })
    const did = `${site.did('acme.test')}:owners`
    const { didDocument } = await resolver.resolve(did)
    expect(didDocument).toMatchObject({ id: did, assertionMethod: [`${did}#${keys[0]?.slice(8) ?? ''}`] })
    expect(paths).toEqual(['/owners/did.json'])
  })

  it('keeps a document for a minute and a failure not at all, and no more than it may', async () => {
    let served = 0
    await using site = await startTestSite((request, response) => {
      served += 1
      if (served === 1) response.statusCode = 500
      response.end(documentOf(`did:web:${request.headers.host?.replace(':', '%3A') ?? ''}`))
    })
    const clock = createManualClock()
    const resolver = createWebResolver({ clock, ...site.options, maxCached: 1 })
    const resolve = async (host: string): Promise<boolean> =>
      (await resolver.resolve(site.did(host))).didDocument !== null
    expect(await resolve('acme.test')).toBe(false)
    expect(await resolve('acme.test')).toBe(true)
    expect(await resolve('acme.test')).toBe(true)
    expect(served).toBe(2)
    await clock.advance(60_000)
    expect(await resolve('acme.test')).toBe(true)
    expect(served).toBe(3)
    await resolve('other.test')
    await resolve('acme.test')
    expect(served).toBe(5)
  })

  it('follows no redirect, not even to itself', async () => {
    let served = 0
    await using site = await startTestSite((_, response) => {
      served += 1
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    const resolver = createWebResolver({ clock: createManualClock(), ...site.options })
    const { didDocument, didResolutionMetadata } = await resolver.resolve(site.did('acme.test'))
    expect(didDocument).toBeNull()
    expect(didResolutionMetadata['message']).toContain('redirect')
    expect(served).toBe(1)
  })

  it('connects to no address that is not public, also when only one of several is not', async () => {
    let served = 0
    await using site = await startTestSite((_, response) => {
      served += 1
      response.end()
    })
    const { isAllowedAddress: _, ...options } = site.options
    const alone = createWebResolver({ clock: createManualClock(), ...options })
    const refused = await alone.resolve(site.did('acme.test'))
    expect(refused.didResolutionMetadata['message']).toContain('not of the public internet')
    const lookup = (): Promise<{ address: string; family: number }[]> =>
      Promise.resolve([
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    const mixed = createWebResolver({ clock: createManualClock(), ...options, lookup })
    expect((await mixed.resolve(site.did('acme.test'))).didResolutionMetadata['message']).toContain('127.0.0.1')
    expect(served).toBe(0)
  })

  it('refuses a certificate that it has no reason to trust, and one of another name', async () => {
    await using site = await startTestSite((_, response) => response.end())
    const { ca: _, ...options } = site.options
    const strict = createWebResolver({ clock: createManualClock(), ...options })
    expect((await strict.resolve(site.did('acme.test'))).didDocument).toBeNull()
    const resolver = createWebResolver({ clock: createManualClock(), ...site.options })
    expect((await resolver.resolve(site.did('third.test'))).didResolutionMetadata['message']).toContain('altnames')
  })

  it('reads no more than it may, in bytes and in time', async () => {
    await using site = await startTestSite((request, response) => {
      if (request.url?.includes('slow') === true) response.write('{')
      else response.end('x'.repeat(70_000))
    })
    const resolver = createWebResolver({ clock: createManualClock(), ...site.options, timeoutMs: 150 })
    const tell = async (did: string): Promise<unknown> => (await resolver.resolve(did)).didResolutionMetadata['message']
    expect(await tell(site.did('acme.test'))).toContain('larger than 65536 bytes')
    expect(await tell(`${site.did('acme.test')}:slow`)).toContain('longer than 150 ms')
  })

  it('refuses a document of another DID, one that is none, and asks nobody for a DID that is none', async () => {
    await using site = await startTestSite((request, response) => {
      response.end(request.url?.includes('broken') === true ? '{' : documentOf('did:web:rival.test'))
    })
    const resolver = createWebResolver({ clock: createManualClock(), ...site.options })
    expect((await resolver.resolve(site.did('acme.test'))).didDocument).toBeNull()
    expect((await resolver.resolve(`${site.did('acme.test')}:broken`)).didDocument).toBeNull()
    const asked = site.asked.length
    expect((await resolver.resolve('did:web:127.0.0.1')).didResolutionMetadata.error).toBe('invalidDid')
    expect(site.asked).toHaveLength(asked)
  })
})

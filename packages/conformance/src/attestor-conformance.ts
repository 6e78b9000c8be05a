import type { AttestationRequest, Attestor } from '@parley/ports'
import type { TestKit } from './test-kit.ts'

/** An attestor, and what it must let in and keep out. */
export interface AttestorFixture {
  readonly attestor: Attestor
  /** Makes a request that it allows; each time of other evidence and another instance. */
  sound(): Promise<AttestationRequest>
  /** Makes requests that it refuses, by what is wrong with them. */
  unsound(): Promise<Readonly<Record<string, AttestationRequest>>>
  /** Its evidence lets one instance in only. */
  readonly isSingleUse: boolean
  /** Creates it anew over what it has kept, as after a restart; absent if it keeps nothing. */
  readonly reopen?: () => Promise<Attestor>
  /** Moves time until all evidence made so far is too old; absent if none ever is. */
  readonly outlive?: () => Promise<void>
  dispose(): Promise<void>
}

/** Defines the suite that every `Attestor` must pass. `make` is called once for each test. */
export function attestorConformance(
  { describe, it, expect }: TestKit,
  name: string,
  make: () => Promise<AttestorFixture>,
): void {
  const test = (title: string, run: (fixture: AttestorFixture) => Promise<void>): void => {
    it(title, async () => {
      const fixture = await make()
      try {
        await run(fixture)
      } finally {
        await fixture.dispose()
      }
    })
  }
  const otherThan = (request: AttestationRequest, other: AttestationRequest): AttestationRequest => ({
    ...request,
    instance: other.instance,
    ...(request.voucher === request.instance ? { voucher: other.instance } : {}),
  })
  const kindOf = async (attestor: Attestor, request: AttestationRequest): Promise<string> =>
    (await attestor.attest(request)).kind

  describe(`${name} as an Attestor`, () => {
    test('names its method in printable characters', async ({ attestor }) => {
      expect(/^[\x21-\x7e]{1,128}$/.test(attestor.method)).toBe(true)
    })
    test('allows sound evidence, and the same instance again', async ({ attestor, sound }) => {
      const request = await sound()
      expect(await kindOf(attestor, request)).toBe('allow')
      expect(await kindOf(attestor, request)).toBe('allow')
      expect(await kindOf(attestor, await sound())).toBe('allow')
    })
    test('names evidence by an id that is the same each time and holds none of it', async ({ attestor, sound }) => {
      const [one, two] = [await sound(), await sound()]
      const ids: string[] = []
      for (const request of [one, one, two]) {
        const attested = await attestor.attest(request)
        ids.push(attested.kind === 'allow' ? attested.id : '')
      }
      expect(ids[0] === ids[1] && ids[0] !== ids[2]).toBe(true)
      expect(ids.every((id) => /^[\x21-\x7e]{1,128}$/.test(id))).toBe(true)
      expect([one, one, two].some(({ evidence }, at) => evidence === ids[at])).toBe(false)
    })
    test('refuses the evidence of another name', async ({ attestor, sound }) => {
      const request = await sound()
      expect(await kindOf(attestor, { ...request, name: `${request.name}-2` })).toBe('deny')
      expect(await kindOf(attestor, request)).toBe('allow')
    })
    test('refuses evidence that another key vouches with', async ({ attestor, sound }) => {
      const [request, other] = [await sound(), await sound()]
      expect(await kindOf(attestor, { ...request, voucher: other.voucher })).toBe('deny')
    })
    test('refuses whatever is no evidence, as a value', async ({ attestor, sound }) => {
      const request = await sound()
      const { evidence } = request
      const middle = Math.floor(evidence.length / 2)
      const other = evidence[middle] === 'A' ? 'B' : 'A'
      const broken = [
        '',
        'x',
        '..',
        '{}',
        evidence.slice(0, -1),
        evidence.slice(1),
        `${evidence}A`,
        evidence + evidence,
        evidence.slice(0, middle) + other + evidence.slice(middle + 1),
        '\u0000'.repeat(100),
        'A'.repeat(100_000),
      ]
      for (const one of broken) expect(await kindOf(attestor, { ...request, evidence: one })).toBe('deny')
    })
    test('refuses with a code and a reason that repeats none of the evidence', async ({ attestor, unsound }) => {
      for (const [what, request] of Object.entries(await unsound())) {
        const attested = await attestor.attest(request)
        expect([what, attested.kind]).toEqual([what, 'deny'])
        if (attested.kind === 'allow') continue
        expect(/^[a-z]+\.[a-z-]+$/.test(attested.code)).toBe(true)
        expect(attested.reason.length > 0 && !attested.reason.includes(request.evidence)).toBe(true)
      }
    })
    test('refuses evidence that is too old', async ({ attestor, sound, outlive }) => {
      const request = await sound()
      if (!outlive) return
      await outlive()
      expect(await kindOf(attestor, request)).toBe('deny')
    })
    test('lets one instance in by what may be used once, also of many at once', async (fixture) => {
      const { attestor, sound, isSingleUse } = fixture
      if (!isSingleUse) return
      const request = await sound()
      const others = await Promise.all([1, 2, 3, 4].map(async () => otherThan(request, await sound())))
      const kinds = await Promise.all([request, ...others].map((one) => kindOf(attestor, one)))
      expect(kinds.filter((kind) => kind === 'allow').length).toBe(1)
    })
    test('remembers over a restart what was used', async ({ attestor, sound, isSingleUse, reopen }) => {
      if (!isSingleUse || !reopen) return
      const request = await sound()
      const other = otherThan(request, await sound())
      expect(await kindOf(attestor, request)).toBe('allow')
      const again = await reopen()
      expect(await kindOf(again, other)).toBe('deny')
      expect(await kindOf(again, request)).toBe('allow')
    })
  })
}

import fc from 'fast-check'
import { formatInboxSubject, limits, type InstanceDid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineContract, type AppendedRecord } from '@parley/mesh'
import { createRogue, type Rogue } from './rogue.ts'
import { openShop, shop, type ShopMesh } from './shop.ts'
import { tapWire } from './wire.ts'

interface Armed extends ShopMesh {
  readonly rogue: Rogue
  readonly session: string
  /** How often the handler ran. */
  served(): number
  /** The last record of the shop that names the rogue. */
  lastRecord(): Promise<AppendedRecord | undefined>
}

async function openArmed(): Promise<Armed> {
  let served = 0
  const open = await openShop({
    buy: () => {
      served += 1
      return { receipt: 'r' }
    },
  })
  const rogue = await createRogue(open.mesh, 'acme/rogue')
  const session = await rogue.shake(open.counter.instance)
  return {
    ...open,
    rogue,
    session,
    served: () => served,
    async lastRecord() {
      await open.mesh.clock.settle()
      return open.mesh.recordsOf(open.counter).findLast(({ instance }) => instance === rogue.did)
    },
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

const text = (value: unknown): string => JSON.stringify(value)

describe('a signed header', () => {
  it.each<readonly [field: string, value: unknown, code: string]>([
    ['type', 'constructor', 'iatp.header-invalid'],
    ['type', 'accepted', 'iatp.header-invalid'],
    ['mesh', 'other', 'iatp.misaddressed'],
    ['mesh', '__proto__', 'iatp.misaddressed'],
    ['from', 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK', 'iatp.misaddressed'],
    ['counter', 0, 'iatp.header-invalid'],
    ['counter', -1, 'iatp.header-invalid'],
    ['counter', 1.5, 'iatp.header-invalid'],
    ['counter', '1', 'iatp.header-invalid'],
    ['session', 'A'.repeat(43), 'iatp.session-unknown'],
    ['capability', 'shop:*', 'iatp.header-invalid'],
    ['capability', 'shop:sell', 'contract.capability-unknown'],
    ['contract', 'A'.repeat(43), 'contract.incompatible'],
    ['remainingMs', 0, 'deadline.exceeded'],
    ['traceparent', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, 'iatp.header-invalid'],
    ['chain', 'A'.repeat(43), 'delegation.unknown'],
    ['links', ['x'.repeat(limits.chainBytes), 'x'], 'iatp.frame-oversize'],
    ['links', Array.from({ length: 6 }, () => 'x'), 'iatp.header-invalid'],
    ['credential', 'x'.repeat(limits.credentialBytes + 1), 'iatp.header-invalid'],
    ['onBehalfOf', 'x'.repeat(257), 'iatp.header-invalid'],
    ['labels', Array.from({ length: 33 }, (_, at) => `l${String(at)}`), 'iatp.header-invalid'],
    ['filler', 'x'.repeat(limits.headerBytes), 'iatp.frame-oversize'],
    ['crit', ['futureField'], 'iatp.crit-unknown'],
    ['crit', ['constructor'], 'iatp.crit-unknown'],
    [
      'saga',
      { id: 's', step: 'a', attempt: 1, epoch: 2 ** 53, key: 'k', phase: 'do', expiresAtMs: 1 },
      'iatp.header-invalid',
    ],
    ['issuedAtMs', 1, 'iatp.lifetime'],
    ['expiresAtMs', 9_007_199_254_740_991, 'iatp.lifetime'],
  ])('with another %s is refused with its code, and nothing runs (%#)', async (field, value, code) => {
    await using open = await openArmed()
    const before = open.rogue.inbox.length
    await open.rogue.send(
      open.counter.instance,
      open.rogue.request(open.session, 1, shop.buy, { header: { [field]: value }, body: { item: 'x' } }),
    )
    expect((await open.lastRecord())?.['code']).toBe(code)
    expect(open.served()).toBe(0)
    const isSilent = [
      'iatp.header-invalid',
      'iatp.misaddressed',
      'iatp.lifetime',
      'iatp.crit-unknown',
      'iatp.frame-oversize',
    ]
    expect(open.rogue.inbox.length - before).toBe(isSilent.includes(code) ? 0 : 1)
  })

  it.each<readonly [what: string, change: (header: string) => string]>([
    ['a duplicate key', (header) => header.replace('{', '{"counter":7,')],
    ['a duplicate key at its end', (header) => header.replace(/}$/, ',"remainingMs":99}')],
    ['a key __proto__', (header) => header.replace('{', '{"__proto__":{"type":"hello"},')],
    ['a space', (header) => header.replace(':', ': ')],
    ['an escaped letter', (header) => header.replace('"request"', '"\\u0072equest"')],
    ['another spelling of a number', (header) => header.replace('"counter":1', '"counter":1.0')],
    ['a byte order mark', (header) => `\uFEFF${header}`],
    ['a list', (header) => `[${header}]`],
    ['nothing', () => ''],
    ['deep nesting', (header) => header.replace('{', `{"x":${'['.repeat(5_000)}${']'.repeat(5_000)},`)],
  ])('with %s is refused', async (_, change) => {
    await using open = await openArmed()
    const { header, body } = open.rogue.request(open.session, 1, shop.buy, { body: { item: 'x' } })
    const nowMs = open.mesh.clock.now()
    const common = { id: 'A'.repeat(22), from: open.rogue.did, to: open.counter.instance, mesh: 'main' }
    const sound = text({ ...header, ...common, issuedAtMs: nowMs, expiresAtMs: nowMs + 1_000 })
    await open.rogue.send(open.counter.instance, { header, body, text: change(sound) })
    expect((await open.lastRecord())?.['code']).toMatch(/^iatp\.(header-invalid|frame-oversize)$/)
    expect(open.served()).toBe(0)
    await open.rogue.send(open.counter.instance, { header, body, text: sound })
    expect(open.served()).toBe(1)
  })

  it('cannot pass off one recipient, leaf or node for another', async () => {
    await using open = await openArmed()
    const request = open.rogue.request(open.session, 1, shop.buy, { body: { item: 'x' } })
    const to = open.counter.instance
    const two = await open.rogue.frame([
      { ...request, header: { ...request.header, to } },
      { ...request, header: { ...request.header, to, counter: 2 } },
    ])
    const one = await open.rogue.frame([{ ...request, header: { ...request.header, to } }])
    const subject = formatInboxSubject('main', to, open.rogue.did)
    // The signature of a bundle over one of its envelopes, and of one envelope over the bundle.
    const cut = one.bytes.slice()
    cut.set(two.bytes.subarray(7, 71), 7)
    const grown = two.bytes.slice()
    grown.set(one.bytes.subarray(7, 71), 7)
    const counted = two.bytes.slice()
    counted[6] = 1
    for (const bytes of [cut, grown, counted]) await open.rogue.publish(subject, bytes)
    await open.rogue.publish(formatInboxSubject('main', open.desk.instance, open.rogue.did), one.bytes)
    await open.rogue.publish(formatInboxSubject('main', to, open.desk.instance), one.bytes)
    await open.rogue.publish(`iatp.1.main.event.card.${open.rogue.did.slice(8)}`, one.bytes)
    expect(open.served()).toBe(0)
    await open.rogue.publish(subject, one.bytes)
    expect(open.served()).toBe(1)
  })
})

describe('a body', () => {
  it('that is too large, no text or no JSON is refused, and the hop is on the record', async () => {
    await using open = await openArmed()
    const bodies = [Uint8Array.of(0xff), new TextEncoder().encode('{'), new Uint8Array(0)]
    for (const [at, body] of bodies.entries())
      await open.rogue.send(open.counter.instance, open.rogue.request(open.session, at + 1, shop.buy, { body }))
    const hops = (await open.hopsOf(open.counter)).map(({ code }) => code)
    expect(hops).toEqual(['contract.input-invalid', 'contract.input-invalid', 'contract.input-invalid'])
    const huge = open.rogue.request(open.session, 9, shop.buy, { body: new Uint8Array(limits.bodyBytes + 1) })
    await expect(open.rogue.send(open.counter.instance, huge)).rejects.toMatchObject({ code: 'iatp.frame-oversize' })
    expect(open.served()).toBe(0)
  })

  it('with a thousand mistakes does not keep its hop off the record', async () => {
    const list = defineContract('list', {
      sum: { input: z.array(z.number()), output: z.number(), risk: 'read' },
    })
    await using open = await openShop()
    const adder = await open.mesh.node('acme/adder', {
      serves: [list],
      serve: (node) => {
        node.serve(list, { sum: (numbers) => numbers.length })
      },
    })
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['list:sum'] })
    const session = await rogue.shake(adder.instance)
    const body = Array.from({ length: 1_000 }, () => '\ud800')
    await rogue.send(adder.instance, rogue.request(session, 1, list.sum, { body }))
    await open.mesh.clock.settle()
    expect(open.mesh.recordsOf(adder).filter(({ kind }) => kind === 'hop')).toMatchObject([
      { outcome: 'refused', code: 'contract.input-invalid' },
    ])
  })

  it('with keys that every object has reaches policy and handler as data', async () => {
    const seen: unknown[] = []
    const bag = defineContract('bag', {
      put: { input: z.looseObject({}), output: z.object({}), risk: 'read' },
    })
    await using open = await openShop()
    const holder = await open.mesh.node('acme/holder', {
      serves: [bag],
      policy: [
        {
          file: 'bag.yaml',
          text: [
            'apiVersion: parley/v1',
            'name: bag',
            'default: allow',
            'rules:',
            '  - name: no-admins',
            "    when: direction == 'inbound' && has(body.isAdmin)",
            '    effect: deny',
          ].join('\n'),
        },
      ],
      serve: (node) => {
        node.serve(bag, {
          put: (input) => {
            seen.push('isAdmin' in input, Object.getPrototypeOf(input) === Object.prototype)
            return {}
          },
        })
      },
    })
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['bag:put'] })
    const session = await rogue.shake(holder.instance)
    const bodies = ['{"__proto__":{"isAdmin":true}}', '{"constructor":{"prototype":{"isAdmin":true}}}']
    for (const [at, body] of bodies.entries())
      await rogue.send(
        holder.instance,
        rogue.request(session, at + 1, bag.put, { body: new TextEncoder().encode(body) }),
      )
    expect(seen.every((fact, at) => fact === (at % 2 === 1))).toBe(true)
    expect('isAdmin' in {}).toBe(false)
  })
})

describe('an output', () => {
  it('that cannot be sent ends the call unknown at once, not at its deadline', async () => {
    const round: Record<string, unknown> = {}
    round['self'] = round
    const blob = defineContract('blob', {
      get: { input: z.object({ what: z.string() }), output: z.unknown(), risk: 'reversible' },
    })
    await using open = await openShop()
    await open.mesh.node('acme/blob', {
      serves: [blob],
      serve: (node) => {
        node.serve(blob, {
          get: ({ what }) => (what === 'round' ? round : what === 'big' ? 5n : 'x'.repeat(limits.bodyBytes)),
        })
      },
    })
    const caller = await open.mesh.node('acme/asks', { calls: [blob.get] })
    for (const what of ['round', 'big', 'huge']) {
      const outcome = await caller.tryCall(blob.get, { what })
      expect(outcome, what).toMatchObject({ kind: 'unknown', code: 'contract.output-invalid' })
    }
  })
})

describe('labels', () => {
  it('that a caller fills up do not make the next hop vanish', async () => {
    await using open = await openShop()
    const wire = tapWire(open.mesh.bus)
    const labels = Array.from({ length: 33 }, (_, at) => `l${String(at)}`)
    expect(await open.desk.tryCall(shop.buy, { item: 'x' }, { labels })).toMatchObject({
      kind: 'refused',
      code: 'iatp.header-invalid',
      hop: { sent: false },
    })
    for (const odd of [{ onBehalfOf: '\ud800' }, { trace: 'z' }, { onBehalfOf: '' }])
      expect(await open.desk.tryCall(shop.buy, { item: 'x' }, odd)).toMatchObject({ code: 'iatp.header-invalid' })
    expect(wire.headers().filter(({ type }) => type === 'request')).toEqual([])
    expect((await open.buy()).kind).toBe('ok')
  })
})

describe('a subject', () => {
  it('of any other shape is nobody’s', async () => {
    await using open = await openArmed()
    const token = open.counter.instance.slice(8)
    const { bytes } = await open.rogue.frame([{ header: { to: open.counter.instance, ...open.rogue.hello().header } }])
    const before = open.rogue.inbox.length
    for (const from of ['__proto__', 'constructor', 'x'.repeat(900)])
      await open.rogue.publish(
        formatInboxSubject('main', open.counter.instance, `did:key:${from}` as InstanceDid),
        bytes,
      )
    for (const subject of [`iatp.1.main.${token}`, `iatp.2.main.${token}.x`, `iatp.1.main.${token}.x.y`])
      await open.rogue.publish(subject, bytes)
    expect(open.rogue.inbox).toHaveLength(before)
    expect((await open.buy()).kind).toBe('ok')
  })
})

describe('a peer that signs whatever comes to its mind', () => {
  it('breaks no node: every envelope is recorded or counted, and the next call is served', async () => {
    await using open = await openArmed()
    const { capability, hash } = shop.buy
    const fields = ['session', 'counter', 'saga', 'labels', 'links', 'chain', 'crit', 'inReplyTo', 'to', 'nonce', 'x']
    const types = ['hello', 'welcome', 'ready', 'request', 'reply', 'refusal', 'cancel', 'event', 'closed', 'part']
    let counter = 100
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...types),
        fc.dictionary(fc.constantFrom(...fields), fc.jsonValue(), { maxKeys: 3 }),
        fc.jsonValue(),
        async (type, odd, body) => {
          counter += 1
          const sound = open.rogue.request(open.session, counter, { ...shop.buy, capability, hash })
          const header = { ...open.rogue.hello().header, ...sound.header, inReplyTo: 'A'.repeat(43), type, ...odd }
          const { bytes } = await open.rogue.frame([{ header: { to: open.counter.instance, ...header }, body }])
          await open.rogue.publish(formatInboxSubject('main', open.counter.instance, open.rogue.did), bytes)
        },
      ),
      { numRuns: 150, seed: 11 },
    )
    const errors = open.mesh.recordsOf(open.counter).filter(({ code }) => code === 'hop.stage-failed')
    expect(errors).toEqual([])
    expect((await open.buy()).kind).toBe('ok')
  })
})

import { createKeySigner, createLocalIssuer, generateSeed, signDeclaration } from '@parley/identity'
import { approvalPurpose, createNode, defineContract, localIssuer } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { createSagas, defineSaga, signal, step, wait } from '@parley/saga'
import { z } from 'zod'

const bank = defineContract('bank', {
  pay: {
    input: z.object({ cents: z.int() }),
    output: z.object({ receipt: z.string() }),
    risk: 'reversible',
    undo: true,
  },
})
const invoice = defineSaga(
  'invoice',
  { version: 1, input: z.object({ cents: z.int() }) },
  wait('goods', signal(z.object({ boxes: z.int() }), { withinMs: 7 * 86_400_000 })),
  step('pay', { do: bank.pay, to: ['acme/bank'], input: ({ saga }) => ({ cents: saga.cents }) }),
)
const house = `
apiVersion: parley/v1
name: house
default: allow
rules:
  - name: people-say
    when: direction == 'inbound' && action == 'bank:pay' && phase == 'do'
    effect: require_approval
    approvers: [staff/ann]
`

const [clock, random] = [createSystemClock(), createSystemRandom()]
const acme = localIssuer('acme')
const nats = process.env['NATS_URL']
const staff = createLocalIssuer({
  alias: 'staff',
  clock,
  random,
  allow: { 'staff/ann': { serves: [], calls: [], human: 2 } },
})
const signer = createKeySigner(generateSeed(random))
const ann = { signer, ...(await staff.issue({ name: 'staff/ann', instance: signer.did, serves: [], calls: [] })) }
const anchors = [acme.anchor, staff.anchor]
const policy = [{ file: 'house.yaml', text: house }]
await using till = await createNode({ name: 'acme/bank', issuer: acme, anchors, policy, serves: [bank], nats })
till.serve(bank, {
  pay: {
    do: ({ cents }) => ({ receipt: `${cents} cents` }),
    undo: () => undefined,
    lookup: () => ({ found: 'absent' }),
  },
})
await till.start()
await using desk = await createNode({ name: 'acme/desk', issuer: acme, calls: [bank.pay], nats })
await desk.start()
await using sagas = createSagas(desk, { definitions: [invoice] })

const run = await sagas.start(invoice, { cents: 120_000 }, { id: 'invoice-7' })
for await (const { event } of run.events()) {
  const { waiting } = run.state()
  if (event.type === 'wait-opened') {
    console.log('waits for the goods')
    await run.signal('goods', { boxes: 3 })
  }
  if (event.type !== 'deferred' || !waiting?.approval || event.code !== 'policy.approval-required') continue
  console.log(`waits for ${waiting.for}: ${waiting.code}`)
  const { id: request, digest } = waiting.approval
  const issuedAtMs = clock.now()
  const grant = { request, digest, word: 'granted', text: 'the boxes are here' }
  const declaration = {
    id: request,
    purpose: approvalPurpose,
    content: grant,
    issuedAtMs,
    expiresAtMs: issuedAtMs + 60_000,
  }
  const verdict = await till.approvals.answer(await signDeclaration(ann, declaration))
  console.log(`ann says yes: ${verdict.kind}`)
}
console.log(`${run.state().status}: ${(await run.result()).pay.receipt}`)

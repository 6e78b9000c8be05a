import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { openStoreInbox } from '@parley/inbox-store'
import { defineContract, type Hop, type SagaCommand } from '@parley/mesh'
import { createSystemClock, systemHash } from '@parley/ports'
import { createParticipant } from '@parley/saga'
import { fakeHop } from '@parley/testkit'
import { z } from 'zod'
import { openStore } from './broker-store.ts'

// A participant whose effects are in a file that stands for somebody else's system, and whose inbox is on JetStream. It kills
// itself where its parent says.

/** What the parent says: a command, whether the file is asked where nobody knows, and where to die. */
export interface StoreInboxOrder {
  readonly saga: SagaCommand
  readonly finds?: boolean
  readonly dieAt?: 'before-effect' | 'after-effect' | 'after-undo'
}

const cards = defineContract('cards', {
  charge: { input: z.object({}), output: z.object({ charge: z.string() }), risk: 'reversible', undo: true },
})

const [, , url = '', name = '', file = ''] = process.argv
const store = await openStore(url, { name })
const { inbox, transaction } = openStoreInbox(store, systemHash)
const participant = createParticipant({ inbox, transaction, clock: createSystemClock(), effects: 'outside' })

const lines = (): readonly string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean)
let order: StoreInboxOrder
const dieAt = (point: StoreInboxOrder['dieAt']): void => {
  if (order.dieAt === point) process.kill(process.pid, 'SIGKILL')
}
const charge = participant.serve(cards.charge, {
  do(_tx, _input, hop) {
    dieAt('before-effect')
    appendFileSync(file, `${hop.saga?.key}\n`)
    dieAt('after-effect')
    return { charge: `of ${hop.saga?.key}` }
  },
  undo(_tx, { output }, hop) {
    const key = hop.saga?.key
    writeFileSync(
      file,
      [...lines().filter((line) => line !== key), `undone ${key} ${JSON.stringify(output)}`, ''].join('\n'),
    )
    dieAt('after-undo')
  },
  find({ saga }) {
    if (order.finds !== true) return undefined
    const key = saga?.key
    return lines().includes(key ?? '') ? { found: 'ok', output: { charge: `of ${key}` } } : { found: 'absent' }
  },
})

process.on('message', (next: StoreInboxOrder) => {
  order = next
  const { saga } = next
  const hop: Hop<Record<never, never>> = fakeHop({ capability: cards.charge.capability, saga })
  const answering: Promise<unknown> = (async () => {
    if (saga.phase === 'undo') return charge.undo?.({}, fakeHop({ capability: cards.charge.capability, saga }))
    if (saga.phase === 'lookup') return charge.lookup?.(fakeHop({ capability: cards.charge.capability, saga }))
    return charge.do({}, hop)
  })()
  void answering.then(
    (answer) => process.send?.({ answer: answer ?? null }),
    (error: unknown) => process.send?.({ answer: { threw: String(error) } }),
  )
})
// Ends with its parent.
process.on('disconnect', () => process.exit())
process.send?.('ready')

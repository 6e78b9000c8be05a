import { serveBench } from '../bench-process.ts'
import { loadPeer } from './load-peer.ts'
import { measureSagas } from './measure-sagas.ts'
import type { RestateAddress } from './start-restate.ts'

// The same saga by Restate's guide "Sagas": each step in `ctx.run`, its undo on a list before it, a TerminalError runs them.

interface Context {
  run<Result>(name: string, action: () => Result): Promise<Result>
}
interface Order {
  readonly to: string
  readonly end: string
}
interface Sdk {
  readonly TerminalError: new (message: string) => Error
  service<Handlers>(definition: { readonly name: string; readonly handlers: Handlers }): unknown
  serve(options: { readonly services: readonly unknown[]; readonly port: number }): Promise<number>
}
interface Client {
  connect(options: { readonly url: string }): {
    serviceClient(service: { readonly name: string }): { run(order: Order): Promise<unknown> }
  }
}

const [, , folder = '', end = '', at = ''] = process.argv
// What it says of every declined step would be measured too.
process.env['RESTATE_LOGGING'] = 'ERROR'
const { ingress, admin, node } = JSON.parse(at) as RestateAddress
const sdk = await loadPeer<Sdk>(folder, '@restatedev/restate-sdk')
const { connect } = await loadPeer<Client>(folder, '@restatedev/restate-sdk-clients')
const name = `trip-${end}`
let bookings = 0

const trip = sdk.service({
  name,
  handlers: {
    async run(ctx: Context, order: Order) {
      const undos: (() => Promise<unknown>)[] = []
      try {
        undos.push(() => ctx.run('undo flight', () => ({})))
        const flight = await ctx.run('flight', () => ({ booking: ++bookings }))
        undos.push(() => ctx.run('undo hotel', () => ({})))
        const hotel = await ctx.run('hotel', () => ({ booking: ++bookings }))
        const charge = await ctx.run('charge', () => {
          if (order.end === 'undone') throw new sdk.TerminalError('card-declined')
          return { receipt: hotel.booking }
        })
        return { flight, hotel, charge }
      } catch (error) {
        if (error instanceof sdk.TerminalError) for (const undo of undos.toReversed()) await undo()
        throw error
      }
    },
  },
})
const port = await sdk.serve({ services: [trip], port: 0 })
const registered = await fetch(`${admin}/deployments`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ uri: `http://127.0.0.1:${String(port)}` }),
})
if (!registered.ok) throw new Error(`Restate does not take the service: ${await registered.text()}`)
const client = connect({ url: ingress }).serviceClient({ name })

const work = async (): Promise<void> => {
  const ended = await client.run({ to: 'SFO', end }).then(
    () => 'completed',
    (error: unknown) => {
      if (error instanceof Error && JSON.stringify(error, Object.getOwnPropertyNames(error)).includes('card-declined'))
        return 'undone'
      throw error
    },
  )
  if (ended !== end) throw new Error(`a saga ended ${ended}`)
}

await serveBench({
  measure: (inFlight, durationMs) => measureSagas(work, inFlight, durationMs),
  async describe() {
    const metrics = await (await fetch(`${node}/metrics`)).text()
    const count = (metric: string): string =>
      new RegExp(`^restate_rocksdb_${metric}_total\\{[^}]*db="log-server"\\} (\\d+)`, 'm').exec(metrics)?.[1] ?? '?'
    return `Restate log server: ${count('write_wal')} log writes, ${count('wal_synced')} log syncs`
  },
})
process.exit()

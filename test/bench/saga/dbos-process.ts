import { serveBench } from '../bench-process.ts'
import { loadPeer } from './load-peer.ts'
import { measureSagas } from './measure-sagas.ts'

// The same saga by DBOS's documentation: each step a `runStep` of a workflow, undos as steps in its `catch`.

interface Order {
  readonly to: string
  readonly end: string
}
interface Sdk {
  readonly DBOS: {
    setConfig(config: Readonly<Record<string, unknown>>): void
    launch(): Promise<void>
    shutdown(): Promise<void>
    registerWorkflow<Input, Output>(
      run: (input: Input) => Promise<Output>,
      options: { readonly name: string },
    ): (input: Input) => Promise<Output>
    runStep<Result>(action: () => Promise<Result>, options: { readonly name: string }): Promise<Result>
  }
}
interface Postgres {
  readonly Client: new (options: { readonly connectionString: string }) => {
    connect(): Promise<void>
    query(sql: string): Promise<{ readonly rows: readonly Readonly<Record<string, string>>[] }>
    end(): Promise<void>
  }
}

const [, , folder = '', end = '', socket = ''] = process.argv
const { DBOS } = await loadPeer<Sdk>(folder, '@dbos-inc/dbos-sdk')
const silent = (): void => undefined
let bookings = 0

const trip = DBOS.registerWorkflow(
  async (order: Order) => {
    const undos: (() => Promise<unknown>)[] = []
    const book = async (): Promise<{ readonly booking: number }> => ({ booking: ++bookings })
    try {
      const flight = await DBOS.runStep(book, { name: 'flight' })
      undos.push(() => DBOS.runStep(async () => ({}), { name: 'undo flight' }))
      const hotel = await DBOS.runStep(book, { name: 'hotel' })
      undos.push(() => DBOS.runStep(async () => ({}), { name: 'undo hotel' }))
      const charge = await DBOS.runStep(
        async () => {
          if (order.end === 'undone') throw new Error('card-declined')
          return { receipt: hotel.booking }
        },
        { name: 'charge' },
      )
      return { flight, hotel, charge }
    } catch (error) {
      for (const undo of undos.toReversed()) await undo()
      throw error
    }
  },
  { name: 'trip' },
)
const database = (name: string): string => `postgresql://bench@localhost/${name}?host=${encodeURIComponent(socket)}`
DBOS.setConfig({
  name: `bench-${end}`,
  systemDatabaseUrl: database(`bench_${end}`),
  // What it says of every declined step would be measured too.
  logger: { debug: silent, info: silent, warn: silent, error: silent },
})
await DBOS.launch()

const work = async (): Promise<void> => {
  const ended = await trip({ to: 'SFO', end }).then(
    () => 'completed',
    (error: unknown) => {
      if (error instanceof Error && error.message === 'card-declined') return 'undone'
      throw error
    },
  )
  if (ended !== end) throw new Error(`a saga ended ${ended}`)
}

await serveBench({
  measure: (inFlight, durationMs) => measureSagas(work, inFlight, durationMs),
  async describe() {
    const { default: pg } = await loadPeer<{ readonly default: Postgres }>(folder, 'pg')
    const client = new pg.Client({ connectionString: database('postgres') })
    await client.connect()
    const show = async (setting: string): Promise<string> =>
      Object.values((await client.query(`SHOW ${setting}`)).rows[0] ?? {})[0] ?? '?'
    const version = await show('server_version')
    const settings = ['fsync', 'synchronous_commit', 'wal_sync_method']
    const told = [] as string[]
    for (const setting of settings) told.push(`${setting} ${await show(setting)}`)
    await client.end()
    return `PostgreSQL ${version.split(' ')[0] ?? ''}: ${told.join(', ')}`
  },
})
await DBOS.shutdown()
process.exit()

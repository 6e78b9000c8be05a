import { openNatsStore } from '@parley/store-nats'
import { dialNats } from '@parley/transport-nats'
import { failed, type Finding } from './finding.ts'

/** Checks that the streams of a store on JetStream keep what they acknowledge. What is not there is not made. */
export async function checkNatsStore(
  name: string,
  servers: string | undefined,
  monitors: readonly string[],
): Promise<Finding> {
  const check = 'nats store'
  if (servers === undefined)
    return { check, level: 'fail', text: `${name}: no broker is named`, todo: 'Give --nats or NATS_URL.' }
  try {
    const store = await openNatsStore({
      name,
      monitors,
      provision: 'verify',
      connect: () => dialNats({ servers, maxReconnectAttempts: 0, name: 'parley doctor' }),
    })
    const { brokerVersion, replicas, syncsEachWrite, lacks } = store.facts()
    await store.close()
    const synced = syncsEachWrite === undefined ? 'not known' : syncsEachWrite ? 'yes' : 'no'
    const text = `${name}: nats-server ${brokerVersion}, replicas ${String(replicas)}, each write synced before it is answered: ${synced}`
    const todo = [
      ...lacks.map((lack) => `${lack}.`),
      ...(syncsEachWrite === undefined ? ['Give --monitor for each server: it tells how it syncs.'] : []),
      ...(syncsEachWrite === false ? ['Set sync_interval: always in the jetstream block of every server.'] : []),
    ]
    return todo.length === 0 ? { check, level: 'ok', text } : { check, level: 'warn', text, todo: todo.join(' ') }
  } catch (error) {
    return failed(check, error)
  }
}

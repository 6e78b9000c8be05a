import { describeLosses, supportsSyncAlways } from '@parley/nats-server'
import { limits } from '@parley/protocol'
import { connectNats } from '@parley/transport-nats'
import { failed, type Finding } from './finding.ts'

/** Room for header, salt and frame prefix beside the largest body. */
const frameBytes = limits.bodyBytes + 64 * 1024

/** Checks that a broker answers, and what its version and limits allow. */
export async function checkBroker(url: string): Promise<Finding> {
  const check = 'broker'
  try {
    const transport = await connectNats({ servers: url, maxReconnectAttempts: 0, name: 'parley doctor' })
    const { version, jetstream, maxPayloadBytes } = transport.serverInfo()
    await transport.close()
    const sync = supportsSyncAlways(version) ? 'possible' : 'not possible'
    const text = `nats-server ${version}, JetStream ${jetstream ? `on (sync_interval: always ${sync})` : 'off'}, payloads up to ${String(maxPayloadBytes)} bytes`
    const todo = [
      ...describeLosses(version),
      ...(maxPayloadBytes < frameBytes
        ? [`Bodies above ${String(maxPayloadBytes)} bytes are refused: raise max_payload.`]
        : []),
    ]
    return todo.length === 0 ? { check, level: 'ok', text } : { check, level: 'warn', text, todo: todo.join(' ') }
  } catch (error) {
    return failed(check, error)
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '@nats-io/transport-node'
import { serveBench } from '../bench-process.ts'
import type { Load } from '../measure-load.ts'
import { createFloodFrame, createFloodToken } from './flood-frame.ts'

/** Frames that it sends a second, if the machine lets it. */
const framesPerSecond = 50_000
const stepMs = 5

const [, , url = ''] = process.argv
const connection = await connect({ servers: url })
const frame = createFloodFrame()

/** Sends for a while to the subjects that start with the prefix given, as `senders` strangers in turn. */
async function flood(prefix: string, senders: number, durationMs: number): Promise<Load> {
  const subjects = Array.from({ length: senders }, (_, at) => `${prefix}.${createFloodToken(at)}`)
  const startMs = performance.now()
  let sent = 0
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - startMs) {
    const due = Math.min(sent + framesPerSecond / 20, Math.floor((elapsedMs * framesPerSecond) / 1_000))
    for (; sent < due; sent++) connection.publish(subjects[sent % senders] ?? '', frame)
    await sleep(stepMs)
  }
  await connection.flush()
  const elapsedMs = performance.now() - startMs
  const callsPerSecond = (sent * 1_000) / elapsedMs
  return { callsPerSecond, p50Ms: 0, p99Ms: 0, p999Ms: 0, calls: sent, failed: 0, cpuMs: 0 }
}

const prefixes = process.argv.slice(3)
await serveBench({
  // The number in flight says who is flooded, and by how many: its sign picks the prefix.
  measure: (senders, durationMs) => flood(prefixes[senders < 0 ? 1 : 0] ?? '', Math.abs(senders), durationMs),
})
await connection.close()

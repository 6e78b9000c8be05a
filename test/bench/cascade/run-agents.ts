import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveBench } from '../bench-process.ts'
import { round2 } from '../envelope/measure-step.ts'
import type { Load } from '../measure-load.ts'
import { percentileOf } from '../statistics.ts'
import { tools } from './tools-contract.ts'

/** What a step of a chain gives to the next one. */
export interface ChainStep {
  readonly text: string
  readonly depth: number
}

/** Uses a tool for an agent. */
export type UseTool = (agent: number, tool: number, input: ChainStep) => Promise<ChainStep>

/** How often an agent begins a task, in milliseconds: as a service does, whether or not the one before has ended. */
const periodMs = 500
const bodyText = 'x'.repeat(300)

/**
 * Serves a process of agents. Each begins a task every half second: two chains at the same time, each of three tools one after
 * the other. Latencies of all rounds are kept, so that the thousandth slowest of thousands can be told; a negative number of
 * agents begins anew.
 */
export async function runAgents(useTool: UseTool): Promise<void> {
  let latencies: number[] = []
  let failed = 0
  const chain = async (agent: number, from: number): Promise<void> => {
    let step: ChainStep = { text: bodyText, depth: 0 }
    for (let at = 0; at < tools.length / 2; at++) step = await useTool(agent, from + at, step)
    if (step.depth !== tools.length / 2 || step.text !== bodyText) throw new Error('a chain lost a step')
  }
  const runTask = async (agent: number): Promise<void> => {
    const startMs = performance.now()
    try {
      await Promise.all([chain(agent, 0), chain(agent, tools.length / 2)])
      latencies.push(performance.now() - startMs)
    } catch {
      failed++
    }
  }
  const measure = async (signedAgents: number, durationMs: number): Promise<Load> => {
    const agents = Math.abs(signedAgents)
    if (signedAgents < 0) {
      latencies = []
      failed = 0
    }
    const before = latencies.length
    const startMs = performance.now()
    const live = async (agent: number): Promise<void> => {
      const tasks: Promise<void>[] = []
      for (let task = 0; ; task++) {
        const dueMs = startMs + (agent / agents + task) * periodMs
        if (dueMs > startMs + durationMs) break
        await sleep(Math.max(0, dueMs - performance.now()))
        tasks.push(runTask(agent))
      }
      await Promise.all(tasks)
    }
    await Promise.all(Array.from({ length: agents }, (_, agent) => live(agent)))
    const calls = latencies.length - before
    const callsPerSecond = (calls * 1_000) / (performance.now() - startMs)
    return { callsPerSecond, p50Ms: 0, p99Ms: 0, p999Ms: 0, calls, failed, cpuMs: 0 }
  }
  const facts = (): Readonly<Record<string, number>> => {
    const sorted = Float64Array.from(latencies).sort()
    return {
      tasks: sorted.length,
      failed,
      p50Ms: round2(percentileOf(sorted, 0.5)),
      p99Ms: round2(percentileOf(sorted, 0.99)),
      p999Ms: round2(percentileOf(sorted, 0.999)),
    }
  }
  await serveBench({ measure, facts })
}

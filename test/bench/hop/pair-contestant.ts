import { join } from 'node:path'
import { startBenchProcess } from '../bench-process.ts'
import type { Contestant } from '../contestant.ts'

/** Starts a contestant of two processes: one that answers, and one that calls. Both get the same arguments. */
export async function startPairContestant(
  name: string,
  scripts: { readonly caller: string; readonly responder: string },
  args: readonly string[],
): Promise<Contestant> {
  const responder = await startBenchProcess(join(import.meta.dirname, scripts.responder), args)
  const caller = await startBenchProcess(join(import.meta.dirname, scripts.caller), args)
  const cpuMs = async (): Promise<number> => (await caller.facts()).cpuMs + (await responder.facts()).cpuMs
  return {
    name,
    async measure(inFlight, durationMs) {
      const beforeMs = await cpuMs()
      const load = await caller.measure(inFlight, durationMs)
      return { ...load, cpuMs: (await cpuMs()) - beforeMs }
    },
    async [Symbol.asyncDispose]() {
      await caller[Symbol.asyncDispose]()
      await responder[Symbol.asyncDispose]()
    },
  }
}

import { createSeededRandom, type Clock, type Random } from '@parley/ports'
import { createSimNetwork } from './sim-network.ts'
import { calm, type SimFaultRates } from './sim-faults.ts'
import { createSimProcess, type SimProcess, type SimProcessControl } from './sim-process.ts'
import { createSimScheduler } from './sim-scheduler.ts'
import { createSimTimeline, type SimTimeline } from './sim-timeline.ts'

/** How a simulation is set up. */
export interface SimulationOptions {
  /** Decides everything: the order of turns, the faults, keys, ids and every chance that a process draws. */
  readonly seed: number
  /** Draws how probable each fault is. */
  readonly rates: (random: Random) => SimFaultRates
}

/** Processes, their disks and the bus between them, in one real process: no real time, no real chance, no real wait. */
export interface Simulation {
  /** Draws what the run itself needs: what is done when, and by whom. */
  readonly random: Random
  /** The time of the world. */
  readonly clock: Clock
  readonly timeline: SimTimeline
  /**
   * Starts a process, and again some time after each of its deaths. `boot` builds its node from nothing but the ports of
   * this life and what it finds on disks; a boot that rejects is a death.
   */
  spawn(name: string, boot: (process: SimProcess) => Promise<void>): void
  /** Runs `turn` after `delayMs`. */
  after(delayMs: number, turn: () => void): void
  /** The lives that are now, by name. */
  alive(name: string): SimProcess | undefined
  /** Stops a process for a while, as SIGSTOP does; it notices nothing. */
  pause(name: string, forMs: number): void
  /** Ends all faults: who is paused wakes, who is cut off comes back, clocks are set right. */
  heal(): void
  /** Runs until `isDone`, or `limitMs` of virtual time; false if it was not done by then. */
  run(isDone: () => boolean, limitMs: number): Promise<boolean>
}

/** Creates a world without processes. */
export function createSimulation({ seed, rates: draw }: SimulationOptions): Simulation {
  const streamOf = (salt: number): Random => createSeededRandom(Math.imul(seed + 1, 0x9e37_79b1) ^ salt)
  const chance = streamOf(1)
  const faults = streamOf(2)
  const random = streamOf(3)
  const scheduler = createSimScheduler(chance)
  const timeline = createSimTimeline()
  let rates = draw(faults)
  const network = createSimNetwork({
    clock: scheduler.clock,
    random: faults,
    after: scheduler.after,
    rates: () => rates,
  })
  const lives = new Map<string, SimProcessControl>()
  const cutOff = new Set<SimProcess>()
  let spawned = 0

  const reconnect = (process: SimProcess): void => {
    if (!cutOff.delete(process)) return
    process.note('is back on the bus')
    network.reconnect(process)
  }
  const strike = (control: SimProcessControl, point: string): void => {
    const { process } = control
    if (faults.float() < rates.crash) process.crash(point)
    if (faults.float() < rates.pause) control.pause(faults.float() * rates.pauseMs)
    if (faults.float() < rates.jump) control.jump(Math.round((faults.float() - 0.5) * 2 * rates.jumpMs))
    if (faults.float() < rates.cut && process.isAlive() && !cutOff.has(process)) {
      cutOff.add(process)
      process.note('is cut off the bus')
      network.disconnect(process)
      scheduler.after(faults.float() * rates.downMs, () => reconnect(process))
    }
  }

  return {
    random,
    clock: scheduler.clock,
    timeline,
    spawn(name, boot) {
      const salt = ++spawned * 1_000
      const live = (life: number): void => {
        const note = (what: string): void => timeline.note(scheduler.elapsedMs(), `${name}#${life}`, what)
        const control = createSimProcess({
          name,
          life,
          random: streamOf(salt + life),
          clock: scheduler.clock,
          after: scheduler.after,
          connect: network.connect,
          strike,
          note,
          onCrash() {
            network.disconnect(control.process)
            scheduler.after(faults.float() * rates.downMs, () => live(life + 1))
          },
        })
        lives.set(name, control)
        note('starts')
        boot(control.process).catch((error: unknown) => {
          control.process.crash(`at its start: ${error instanceof Error ? error.message : String(error)}`)
        })
      }
      scheduler.after(0, () => live(1))
    },
    after(delayMs, turn) {
      scheduler.after(delayMs, turn)
    },
    alive(name) {
      const process = lives.get(name)?.process
      return process?.isAlive() ? process : undefined
    },
    pause(name, forMs) {
      lives.get(name)?.pause(forMs)
    },
    heal() {
      rates = calm
      timeline.note(scheduler.elapsedMs(), 'world', 'heals')
      for (const control of lives.values()) {
        control.setRight()
        control.wake()
      }
      for (const process of cutOff) reconnect(process)
    },
    run: (isDone, limitMs) => scheduler.run(isDone, limitMs),
  }
}

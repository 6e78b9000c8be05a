import type { Clock } from '@parley/ports'
import type { Finding } from './finding.ts'

/** Nothing that this release signs or checks can be older. */
const earliestMs = Date.UTC(2026, 0, 1)
const measureMs = 100
/** Far more than timers and slewing differ, far less than the minute that peers allow. */
const maxDriftMs = 50

/** Checks that wall time is plausible, and runs as fast as monotonic time. Other machines' clocks are not asked. */
export async function checkClock(clock: Clock): Promise<Finding> {
  const [wallMs, monotonicMs] = [clock.now(), clock.monotonic()]
  await new Promise<void>((resolve) => clock.setTimer(resolve, measureMs))
  const driftMs = Math.round(clock.now() - wallMs - (clock.monotonic() - monotonicMs))
  const text = `${new Date(wallMs).toISOString()}, ${String(driftMs)} ms off monotonic time in ${String(measureMs)} ms`
  const todo = 'Synchronise the clock (NTP): envelopes whose clocks differ by more than a minute are refused.'
  if (wallMs < earliestMs) return { check: 'clock', level: 'fail', text, todo }
  if (Math.abs(driftMs) > maxDriftMs) return { check: 'clock', level: 'warn', text, todo }
  return { check: 'clock', level: 'ok', text }
}

import type { Bench } from './bench.ts'
import { cascadeBench } from './cascade/cascade-bench.ts'
import { envelopeBench } from './envelope/envelope-bench.ts'
import { eventsBench } from './events/events-bench.ts'
import { floodBench } from './flood/flood-bench.ts'
import { hopBench } from './hop/hop-bench.ts'
import { policyBench } from './policy/policy-bench.ts'
import { sagaBench } from './saga/saga-bench.ts'
import { sessionsBench } from './sessions/sessions-bench.ts'
import { trustBench } from './trust/trust-bench.ts'

/** Every bench that `pnpm bench NAME` knows. */
export const benches: readonly Bench[] = [
  hopBench,
  floodBench,
  envelopeBench,
  policyBench,
  sessionsBench,
  sagaBench,
  eventsBench,
  trustBench,
  cascadeBench,
]

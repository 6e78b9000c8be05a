import type { Act } from '../act.ts'
import { booked } from './01-booked.ts'
import { declined } from './02-declined.ts'
import { undelegated } from './03-undelegated.ts'
import { attacked } from './04-attacked.ts'
import { distrusted } from './05-distrusted.ts'
import { slowed } from './06-slowed.ts'
import { killed } from './07-killed.ts'
import { audited } from './08-audited.ts'

/** The acts in their order. Each starts where the one before ended. */
export const acts: readonly Act[] = [booked, declined, undelegated, attacked, distrusted, slowed, killed, audited]

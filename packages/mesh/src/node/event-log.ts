import type { Logger } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import type { AuditFields, AuditLog } from '@parley/audit'

/** Records what happens beside the hops: changes of tier, breaker, bus. Never throws, since nothing waits for it. */
export type EventLog = (fields: AuditFields) => void

/** Creates an event log on top of the audit log. What the log cannot take is told to the logger. */
export function createEventLog(audit: AuditLog, logger: Logger): EventLog {
  return (fields) => {
    try {
      audit.append(fields)
    } catch (error) {
      logger.error('hop.unrecorded', {
        kind: fields.kind,
        code: isMeshError(error) ? error.code : 'hop.stage-failed',
        error: error instanceof Error ? error.message : 'not an error',
      })
    }
  }
}

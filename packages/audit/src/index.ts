export { openAuditLog, type AuditLog, type AuditLogOptions, type AuditReceipt } from './audit-log.ts'
export { isAuditRecordLine, readAuditLine } from './audit-line.ts'
export {
  maxRecordChars,
  parseAuditRecord,
  type AuditFields,
  type AuditKind,
  type AuditRecord,
  type AuditValue,
} from './audit-record.ts'
export { signCheckpoint, verifyCheckpoint, type Checkpoint, type Head } from './checkpoint.ts'
export { exportAudit } from './export-audit.ts'
export { verifyAuditExport, type AuditVerdict, type AuditVerifyOptions } from './verify-audit-export.ts'

import { isDeepStrictEqual } from 'node:util'
import { verifyAuditExport, type AuditRecord, type AuditVerdict } from '@parley/audit'
import { verifySignature } from '@parley/identity'
import type { AppendedRecord } from '@parley/mesh'
import type { Act } from '../act.ts'
import type { AgentProcess } from '../agent-process.ts'
import type { Cast } from '../cast.ts'
import { readStoreEvidence } from '../proof/store-evidence.ts'
import { tampers } from '../tampering.ts'
import { list } from '../proof/list.ts'

/** Every log is verified; then copies are falsified in four ways, and each time the first bad record is named. */
export const audited: Act = {
  name: '8 the logs are verified',
  async perform({ cast, random }) {
    await cast.stop()
    const agents = cast.agents()
    const logs = await Promise.all(
      agents.map(async (agent) => {
        const { exported, records } = await readStoreEvidence(agent)
        return { agent, exported, lost: listLost(cast.told(agent.name), records) }
      }),
    )
    const verdicts = logs.map(({ agent, exported }) => verifyLog(cast, agent, exported))
    const falsified = Object.entries(tampers).map(([how, tamper]) => {
      const copies = logs.map(({ agent, exported }) => ({ agent, ...tamper(exported, random) }))
      const named = copies.map(({ agent, text }) => {
        const verdict = verifyLog(cast, agent, text)
        return verdict.kind === 'tampered' ? verdict.firstBadRecord : 'none'
      })
      return {
        expected: `${how}: record ${list(copies.map(({ firstBadRecord }) => firstBadRecord))} named`,
        seen: `${how}: record ${list(named)} named`,
      }
    })
    return [
      {
        expected: `good and closed: ${list(agents.map(({ name }) => name))}`,
        seen: `good and closed: ${list(agents.filter((_, at) => isWhole(verdicts[at])).map(({ name }) => name))}`,
      },
      {
        expected: 'records that were printed and are not in a log: nothing',
        seen: `records that were printed and are not in a log: ${list(logs.flatMap(({ lost }) => lost))}`,
      },
      ...falsified,
    ]
  },
}

/** Verifies a log against what the demo knows from elsewhere: how long it is, and to whom the owners gave credentials. */
function verifyLog({ issued }: Cast, agent: AgentProcess, exported: string): AuditVerdict {
  return verifyAuditExport(exported, {
    verify: verifySignature,
    expectedOrigin: `parley/main/${agent.name}`,
    expectedSize: agent.records.at(-1)?.seq ?? 1,
    isTrustedSigner: (did) => issued.some(({ name, instance }) => name === agent.name && instance === did),
  })
}

/** Lists the numbers of records that were told of and do not stand in the log as they were told. */
function listLost(told: readonly AppendedRecord[], records: readonly AuditRecord[]): readonly number[] {
  return told.filter((record) => !isDeepStrictEqual(record, records[record.seq - 1])).map(({ seq }) => seq)
}

function isWhole(verdict: AuditVerdict | undefined): boolean {
  return verdict?.kind === 'ok' && verdict.isClosed && verdict.unsigned === 0
}

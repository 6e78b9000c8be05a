import { joinTokenMethod, type Admission, type GrantedReturn, type JoinSeats, type NatsAccount } from '@parley/identity'
import type { Clock, Logger } from '@parley/ports'
import type { InstanceDid, Refusal } from '@parley/protocol'
import type { IssuerRequest, ReturnGranted } from './issuer-schema.ts'

/** Lets instances that joined by a token come back after a restart. */
export interface ComeBack {
  /** Grants it with the first credential, if it is asked for. */
  first(
    admission: Admission,
    request: IssuerRequest,
  ): Promise<{ readonly kind: 'allow'; readonly granted: ReturnGranted | undefined } | Refusal>
  /** Gives a grant a longer life with a renewed credential; whoever has none goes on without. */
  again(instance: InstanceDid, request: IssuerRequest): Promise<ReturnGranted | undefined>
}

/** Creates what an issuer node answers about coming back. `door` is the instance at which it can be asked behind a fence. */
export function createComeBack(options: {
  readonly seats: JoinSeats
  readonly natsAccount: NatsAccount | undefined
  readonly door: () => InstanceDid
  readonly clock: Clock
  readonly logger: Logger
}): ComeBack {
  const { seats, natsAccount, door, clock, logger } = options
  const toGranted = async ({ token, key, expiresAtMs }: GrantedReturn, nkey?: string): Promise<ReturnGranted> => {
    const issuer = door()
    const mint = nkey === undefined ? undefined : natsAccount?.mintJoiner
    const jwt = nkey === undefined ? undefined : await mint?.({ nkey, key, issuer, expiresAtMs })
    const nowMs = clock.now()
    return {
      grant: token,
      // Half a life is left for an issuer that is away.
      renewAtMs: Math.floor((nowMs + expiresAtMs) / 2),
      ...(jwt === undefined ? {} : { login: { issuer, jwt } }),
    }
  }
  return {
    async first({ instance, method }, { statement, comeBack }) {
      // Other methods attest at every start anew.
      if (comeBack?.key === undefined || method !== joinTokenMethod) return { kind: 'allow', granted: undefined }
      const granted = await seats.grantNext(statement, instance, comeBack.key)
      return granted.kind === 'deny'
        ? granted
        : { kind: 'allow', granted: await toGranted(granted.grant, comeBack.nkey) }
    },
    async again(instance, { comeBack }) {
      if (comeBack?.grant === undefined) return undefined
      const granted = await seats.extend(comeBack.grant, instance)
      if (granted.kind === 'allow') return toGranted(granted.grant, comeBack.nkey)
      logger.warn('issuer.not-extended', { instance, code: granted.code, reason: granted.reason })
      return undefined
    },
  }
}

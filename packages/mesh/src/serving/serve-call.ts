import type { Logger } from '@parley/ports'
import { isMeshError, type ErrorCode, type Verdict } from '@parley/protocol'
import type { BareOutcome } from '../contract/outcome.ts'
import { checkSchema } from '../contract/schema.ts'
import { serveStream } from './serve-stream.ts'
import type { UsageMeter } from './usage-meter.ts'
import { isHandlerMark, type HandlerMark, type Served, type ServedHop } from './served.ts'

/** What a call is served with besides its hop. */
export interface ServingTools {
  /** Counts what serving uses up. */
  readonly meter: Pick<UsageMeter, 'idle' | 'isFirstRefusal'>
  readonly logger: Logger
  /** Takes the parts of a stream; absent where the caller reads none. */
  readonly sendPart?: ((value: unknown) => Promise<Verdict>) | undefined
}

/**
 * Runs what serves a capability and says how it ended. A throw means that nobody knows what was done, unless the
 * capability only reads; its message stays here. Output, parts and declared errors must fit the contract.
 */
export async function serveCall(
  served: Served,
  body: unknown,
  hop: ServedHop,
  { meter, logger, sendPart }: ServingTools,
): Promise<BareOutcome> {
  const { contract } = served
  try {
    return await servePhase(served, body, hop, logger, sendPart)
  } catch (error) {
    // The first use comes before the effect, so a handler that it stopped has done nothing.
    if (meter.isFirstRefusal(error)) return refusedAs('delegation.allowance-spent', 'the allowance does not cover it')
    logger.error('contract.handler-failed', {
      capability: contract.capability,
      hop: hop.id,
      error: error instanceof Error ? error.message : 'not an error',
      ...(isMeshError(error) ? { code: error.code } : {}),
    })
    if (contract.risk === 'read') return { kind: 'failed', code: 'contract.handler-failed', retryable: true }
    return { kind: 'unknown', code: 'contract.handler-failed' }
  } finally {
    const counting = meter.idle()
    if (counting) await counting
  }
}

function servePhase(
  served: Served,
  body: unknown,
  hop: ServedHop,
  logger: Logger,
  sendPart: ServingTools['sendPart'],
): Promise<BareOutcome> {
  switch (hop.saga?.phase ?? 'do') {
    case 'do':
      return serveDo(served, body, hop, logger, sendPart)
    case 'undo':
      return serveUndo(served, body, hop, logger)
    case 'lookup':
      return serveLookup(served, hop, logger)
    case 'close':
      return serveClose(served, hop, logger)
  }
}

async function serveUndo(served: Served, body: unknown, hop: ServedHop, logger: Logger): Promise<BareOutcome> {
  const { contract, serve } = served
  if (!serve.undo) return refusedAs('saga.command-invalid', `${contract.capability} has no undo`)
  const output = isRecord(body) ? body['output'] : undefined
  const result = await serve.undo(output === undefined ? {} : { output }, hop)
  return isHandlerMark(result) ? readMark(served, result, logger) : { kind: 'ok', output: null }
}

async function serveLookup(served: Served, hop: ServedHop, logger: Logger): Promise<BareOutcome> {
  const { contract, serve } = served
  if (!serve.lookup) return refusedAs('saga.command-invalid', `${contract.capability} has no lookup`)
  const result = await serve.lookup(hop)
  return isHandlerMark(result) ? readMark(served, result, logger) : { kind: 'ok', output: result }
}

async function serveClose(served: Served, hop: ServedHop, logger: Logger): Promise<BareOutcome> {
  const { contract, serve } = served
  if (!serve.close) return refusedAs('saga.command-invalid', `${contract.capability} keeps nothing for a saga`)
  const result = await serve.close(hop)
  return isHandlerMark(result) ? readMark(served, result, logger) : { kind: 'ok', output: null }
}

async function serveDo(
  served: Served,
  body: unknown,
  hop: ServedHop,
  logger: Logger,
  sendPart: ((value: unknown) => Promise<Verdict>) | undefined,
): Promise<BareOutcome> {
  const { contract, serve } = served
  const checkingInput = checkSchema(contract.input, body)
  const input = checkingInput instanceof Promise ? await checkingInput : checkingInput
  if (input.kind === 'invalid') return refusedAs('contract.input-invalid', input.problems)
  const made = serve.do(input.value, hop)
  const end = contract.stream ? await serveStream(served, made, hop, sendPart, logger) : undefined
  if (end?.kind === 'ended') return end.outcome
  const result = end ? end.value : await made
  if (isHandlerMark(result)) return readMark(served, result, logger)
  const checkingOutput = checkSchema(contract.output, result)
  const output = checkingOutput instanceof Promise ? await checkingOutput : checkingOutput
  if (output.kind === 'valid') return { kind: 'ok', output: output.value }
  logger.error('contract.output-invalid', { capability: contract.capability, hop: hop.id, problems: output.problems })
  return { kind: 'unknown', code: 'contract.output-invalid' }
}

async function readMark({ contract }: Served, mark: HandlerMark, logger: Logger): Promise<BareOutcome> {
  switch (mark.kind) {
    case 'nothing-done':
      return { kind: 'failed', code: 'contract.handler-failed', retryable: mark.retryable }
    case 'refusal': {
      const wait = mark.retryAfterMs
      return { ...refusedAs(mark.code, 'the handler refused'), ...(wait === undefined ? {} : { retryAfterMs: wait }) }
    }
    case 'declined': {
      const { name, details } = mark.error
      const schema = Object.hasOwn(contract.errors, name) ? contract.errors[name] : undefined
      const checked = schema ? await checkSchema(schema, details) : undefined
      if (checked?.kind === 'valid') return { kind: 'declined', error: { name, details: checked.value } }
      logger.error('contract.output-invalid', { capability: contract.capability, declined: name })
      return { kind: 'unknown', code: 'contract.output-invalid' }
    }
  }
}

function refusedAs(code: ErrorCode, reason: string): BareOutcome & { readonly kind: 'refused' } {
  return { kind: 'refused', code, reason }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

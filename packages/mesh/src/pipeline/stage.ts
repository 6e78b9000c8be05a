import { allowed, refuse, type Refusal, type Verdict } from '@parley/protocol'
import type { Logger } from '@parley/ports'

/** One step of a pipeline: looks at the hop, may add to it, and says go on or refuse with a code. */
export interface Stage<Context> {
  readonly name: string
  run(context: Context): Verdict | Promise<Verdict>
}

/** Where a pipeline ended: `stage` is the one that refused. */
export type PipelineEnd = { readonly kind: 'allow' } | (Refusal & { readonly stage: string })

/**
 * Runs stages in order until one refuses. A stage that throws refuses with `hop.stage-failed`: undecided is denied.
 * Stages that answer at once run in the same turn, so nothing can come between a check and what it protects; if all do,
 * so does this.
 */
export function runStages<Context>(
  stages: readonly Stage<Context>[],
  context: Context,
  logger: Logger,
): PipelineEnd | Promise<PipelineEnd> {
  return runFrom(0, stages, context, logger)
}

function runFrom<Context>(
  first: number,
  stages: readonly Stage<Context>[],
  context: Context,
  logger: Logger,
): PipelineEnd | Promise<PipelineEnd> {
  for (let at = first; at < stages.length; at++) {
    const stage = stages[at]
    if (!stage) break
    let verdict: Verdict | Promise<Verdict>
    try {
      verdict = stage.run(context)
    } catch (error) {
      verdict = refuseBroken(stage.name, error, logger)
    }
    if (verdict instanceof Promise) return goOnAfter(verdict, at, stages, context, logger)
    if (verdict.kind === 'deny') return { ...verdict, stage: stage.name }
  }
  return allowed
}

async function goOnAfter<Context>(
  waiting: Promise<Verdict>,
  at: number,
  stages: readonly Stage<Context>[],
  context: Context,
  logger: Logger,
): Promise<PipelineEnd> {
  const stage = stages[at]?.name ?? ''
  let verdict: Verdict
  try {
    verdict = await waiting
  } catch (error) {
    verdict = refuseBroken(stage, error, logger)
  }
  return verdict.kind === 'deny' ? { ...verdict, stage } : runFrom(at + 1, stages, context, logger)
}

function refuseBroken(stage: string, error: unknown, logger: Logger): Refusal {
  logger.error('hop.stage-failed', { stage, error: error instanceof Error ? error.message : 'not an error' })
  return refuse('hop.stage-failed', `the stage ${stage} broke`)
}

/** Gives what an earlier stage must have left; its absence is a defect of the list of stages. */
export function left<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`no stage has left ${what}`)
  return value
}

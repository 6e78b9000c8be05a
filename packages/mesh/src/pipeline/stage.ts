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
 * Stages that answer at once run in the same turn, so nothing can come between a check and what it protects.
 */
export async function runStages<Context>(
  stages: readonly Stage<Context>[],
  context: Context,
  logger: Logger,
): Promise<PipelineEnd> {
  for (const stage of stages) {
    let verdict: Verdict
    try {
      const answer = stage.run(context)
      verdict = answer instanceof Promise ? await answer : answer
    } catch (error) {
      logger.error('hop.stage-failed', {
        stage: stage.name,
        error: error instanceof Error ? error.message : 'not an error',
      })
      verdict = refuse('hop.stage-failed', `the stage ${stage.name} broke`)
    }
    if (verdict.kind === 'deny') return { ...verdict, stage: stage.name }
  }
  return allowed
}

/** Gives what an earlier stage must have left; its absence is a defect of the list of stages. */
export function left<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`no stage has left ${what}`)
  return value
}

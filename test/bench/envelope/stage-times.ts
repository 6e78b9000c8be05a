import { localIssuer } from '@parley/mesh'
import { assembleNode, outboundStages, type Stage } from '@parley/mesh/stages'
import type { BenchOptions, BenchRow } from '../bench.ts'
import { bodyText } from '../hop/body.ts'
import { echo } from '../hop/echo-contract.ts'
import { spreadOf } from '../statistics.ts'
import { round2 } from './measure-step.ts'

interface Spent {
  readonly us: number[]
  /** It waited for something: its time is what passed, not what it cost. */
  waits: boolean
}

/** What one hop after the other costs in each stage, in one process over the bus in memory. */
export async function measureStages({ rounds, roundMs }: BenchOptions): Promise<readonly BenchRow[]> {
  const spent = new Map<string, Spent>()
  let isCounting = false
  const timed = <Context>(side: string, { name, run }: Stage<Context>): Stage<Context> => {
    const key = `${side}/${name}`
    const add = (startMs: number, waits: boolean): void => {
      if (!isCounting) return
      const one = spent.get(key) ?? { us: [], waits }
      one.us.push((performance.now() - startMs) * 1_000)
      one.waits ||= waits
      spent.set(key, one)
    }
    return {
      name,
      run(context) {
        const startMs = performance.now()
        const verdict = run(context)
        if (!(verdict instanceof Promise)) {
          add(startMs, false)
          return verdict
        }
        return verdict.finally(() => {
          add(startMs, true)
        })
      },
    }
  }
  const issuer = localIssuer('bench')
  const frames = new Set<string>()
  let seen = 0
  issuer.bus.tap(({ subject, data }) => {
    if (!isCounting) return
    seen += 1
    // What a cache of verified roots would have for a key: sender, number of leaves, root and signature.
    frames.add(`${subject} ${Buffer.from(data.subarray(0, 71)).toString('base64')}`)
  })
  const make = (side: string, options: object): ReturnType<typeof assembleNode> =>
    assembleNode(
      { issuer, name: `bench/${side}`, ...options },
      {
        outbound: outboundStages.map((stage) => timed('out', stage)),
        inbound: (standard) => ({
          frame: standard.frame.map((stage) => timed(`${side} in`, stage)),
          envelope: standard.envelope.map((stage) => timed(`${side} in`, stage)),
          routes: {
            ...standard.routes,
            request: (standard.routes.request ?? []).map((stage) => timed(`${side} in`, stage)),
            reply: (standard.routes.reply ?? []).map((stage) => timed(`${side} in`, stage)),
          },
        }),
      },
    )
  await using callee = await make('callee', { serves: [echo], sealBodies: true })
  await using caller = await make('caller', { calls: [echo.say], sealBodies: true })
  callee.serve(echo, { say: () => ({ text: bodyText }) })
  await Promise.all([callee.start(), caller.start()])
  const call = (): Promise<unknown> => caller.call(echo.say, { text: bodyText })
  const work = async (untilMs: number): Promise<void> => {
    while (performance.now() < untilMs) await call()
  }
  await work(performance.now() + roundMs)
  isCounting = true
  await work(performance.now() + (rounds * roundMs) / 2)
  isCounting = false
  return [
    ...[...spent].map(([key, { us, waits }]) => {
      const [group = '', step = ''] = key.split('/')
      const { median, min } = spreadOf(us)
      return { group, step, us: round2(median), usMin: round2(min), waits: waits ? 'yes' : 'no' }
    }),
    { group: 'cache of verified roots', step: 'frames', count: seen },
    { group: 'cache of verified roots', step: 'frames that it would have known', count: seen - frames.size },
  ]
}

import { readFile, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { Session } from 'node:inspector'
import { writeFileSync } from 'node:fs'
import { createNode } from '@parley/mesh'
import { createMemoryBus } from '@parley/transport-memory'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { assertSameText, bodyText } from './body.ts'
import { echo } from './echo-contract.ts'
import { createParleyMesh, openBenchIssuer } from './parley-mesh.ts'
import { benchPolicy } from './policy-document.ts'
const inFlight = Number(process.argv[2] ?? 64),
  seconds = Number(process.argv[3] ?? 3),
  rounds = Number(process.argv[4] ?? 4),
  out = process.argv[5]
const mesh = await createParleyMesh()
const dir = mesh.dir
const bus = createMemoryBus({ clock: createSystemClock(), random: createSystemRandom() })
const delegation = JSON.parse(await readFile(join(dir, 'chain.json'), 'utf8')) as readonly string[]
const common = { policy: [benchPolicy], bulkheads: { perPeer: 512, perCapability: 512 } }
const callee = await createNode({
  name: 'bench/callee',
  issuer: await openBenchIssuer(dir),
  serves: [echo],
  data: join(dir, 'callee.db'),
  transport: bus.connect(),
  ...common,
})
callee.serve(echo, { say: async ({ text }) => ({ text }) })
await callee.start()
const node = await createNode({
  name: 'bench/caller',
  issuer: await openBenchIssuer(dir),
  calls: [echo.say],
  data: join(dir, 'caller.db'),
  transport: bus.connect(),
  ...common,
})
await node.start()
const options = { to: 'bench/callee', delegation } as const
let calls = 0,
  total = 0
async function round(ms: number) {
  const end = performance.now() + ms
  calls = 0
  const c0 = process.cpuUsage()
  const loop = async () => {
    while (performance.now() < end) {
      const { text } = await node.call(echo.say, { text: bodyText }, options)
      assertSameText(text)
      calls++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  const c = process.cpuUsage(c0)
  total += calls
  return (c.user + c.system) / calls
}
const sample = JSON.stringify({
  a: bodyText,
  b: [1, 2, 3],
  c: { d: 'x', e: 'y'.repeat(40), f: delegation[0]!.slice(0, 200) },
})
import { hash as h } from 'node:crypto'
function calibrate(): number {
  const c0 = process.cpuUsage()
  const end = performance.now() + 150
  let n = 0
  while (performance.now() < end) {
    for (let i = 0; i < 20; i++) {
      const v = JSON.parse(sample) as object
      const t = JSON.stringify({ ...v, i })
      h('sha256', t, 'base64url')
    }
    n += 20
  }
  const c = process.cpuUsage(c0)
  return (c.user + c.system) / n
}
await round(2500)
calibrate()
const s = new Session()
s.connect()
const post = (m: string, p?: object) =>
  new Promise<any>((res, rej) => s.post(m as any, p as any, (e: any, r: any) => (e ? rej(e) : res(r))))
if (out) {
  await post('Profiler.enable')
  await post('Profiler.setSamplingInterval', { interval: 300 })
  await post('Profiler.start')
}
if (process.argv[6]) {
  await post('HeapProfiler.enable')
  await post('HeapProfiler.startSampling', {
    samplingInterval: 4096,
    includeObjectsCollectedByMajorGC: process.argv[6] !== 'minor',
    includeObjectsCollectedByMinorGC: process.argv[6] === 'all',
  })
}
const rs: number[] = []
const cal: number[] = []
for (let i = 0; i < rounds * 4; i++) {
  cal.push(calibrate())
  rs.push(await round(seconds * 250))
}
if (out) {
  const { profile } = await post('Profiler.stop')
  writeFileSync(out, JSON.stringify(profile))
}
if (process.argv[6]) {
  const g = (globalThis as any).gc
  if (process.argv[6] === 'minor') {
    g({ type: 'minor' })
    g({ type: 'minor' })
  }
  const { profile } = await post('HeapProfiler.stopSampling')
  writeFileSync(
    process.argv[6] === 'all' ? '/tmp/h/heap-all.json' : '/tmp/h/heap.json',
    JSON.stringify({ profile, total }),
  )
}
const ratios = rs.map((x, i) => x / ((cal[i]! + (cal[i + 1] ?? cal[i]!)) / 2)).sort((a, b) => a - b)
console.log(
  `units/call: median ${ratios[ratios.length >> 1]!.toFixed(1)} p25 ${ratios[ratios.length >> 2]!.toFixed(1)}  cpu us/call min ${Math.min(...rs).toFixed(1)} cal min ${Math.min(...cal).toFixed(2)}`,
)
process.exit(0)

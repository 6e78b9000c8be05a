import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../run-command.ts'
import { fuzzFrames } from './fuzz-frames.ts'
import { formatFuzzReport } from './fuzz-report.ts'
import { readFrameCorpus } from './corpus.ts'

const usage = `Usage: pnpm fuzz frames [--frames N] [--seed N]

  frames  changed frames into a real node; nothing may be accepted`

interface Fuzz {
  readonly frames: number
  readonly seed: number
}

function readFuzz(args: readonly string[]): Fuzz | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { frames: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
  })
  const [frames, seed] = [Number(values.frames), Number(values.seed)]
  const isRight = positionals.length === 1 && positionals[0] === 'frames'
  return isRight && Number.isInteger(frames) && frames > 0 && Number.isInteger(seed) ? { frames, seed } : undefined
}

async function fuzz({ frames, seed }: Fuzz): Promise<boolean> {
  console.log(`fuzz frames: ${frames.toLocaleString('en-US')} frames, seed ${String(seed)}`)
  const vectors = readFileSync(join(import.meta.dirname, '../../protocol/vectors/frames.json'), 'utf8')
  const report = await fuzzFrames({
    frames,
    seed,
    corpus: readFrameCorpus(vectors),
    watchesGrowth: true,
    onProgress: (sent) => {
      if (process.stderr.isTTY && sent % 50_000 === 0) console.error(`${sent.toLocaleString('en-US')} frames`)
    },
  })
  for (const line of formatFuzzReport(report)) console.log(line)
  return report.problems.length === 0
}

await runCommand({ usage, read: readFuzz, run: fuzz })

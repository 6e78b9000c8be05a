import { enableCompileCache } from 'node:module'
import { cutSafeguard } from '../sim/cut-safeguard.ts'
import { openLine, type Asked } from './line.ts'
import type { ProcessSetup } from './setup.ts'

// Processes start and die by the hundred: what one compiled, the next one reads.
enableCompileCache()
const setup = JSON.parse(process.argv[2] ?? '') as ProcessSetup
if (setup.safeguard !== undefined) cutSafeguard(setup.safeguard)
const line = openLine(setup.strike)
const { openDesk } = await import('./desk.ts')
const { openParticipant } = await import('./participant.ts')
const answer = await (setup.kind === 'desk' ? openDesk(setup, line) : openParticipant(setup, line))
process.on('message', (asked: Asked) => {
  answer(asked).then(
    () => line.tell({ tell: 'answer', to: asked.ask }),
    (error: unknown) => line.tell({ tell: 'answer', to: asked.ask, problem: String(error) }),
  )
})
line.tell({ tell: 'ready' })

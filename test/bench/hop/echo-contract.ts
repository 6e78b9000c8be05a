import { defineContract } from '@parley/mesh'
import { z } from 'zod'

const text = z.object({ text: z.string() })

/** The contract of the measured hop. */
export const echo = defineContract('echo', { say: { input: text, output: text, risk: 'read' } })

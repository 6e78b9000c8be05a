import { defineContract } from '@parley/mesh'
import { z } from 'zod'

const step = z.object({ text: z.string(), depth: z.number().int() })

/** Tools that every agent uses: two chains of three. */
export const tools: readonly string[] = ['search', 'read', 'rank', 'quote', 'book', 'note']

/** Defines the contract of a tool: it takes what the step before gave, and gives what the next one takes. */
const defineTool = (tool: string) => defineContract(tool, { use: { input: step, output: step, risk: 'read' } })

/** The contracts of all tools. */
export const toolContracts: readonly ReturnType<typeof defineTool>[] = tools.map(defineTool)

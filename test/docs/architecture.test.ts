import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { localIssuer } from '@parley/mesh'
import { assembleNode, outboundStages, type InboundPipeline } from '@parley/mesh/stages'
import { describe, expect, it } from 'vitest'
import { readText, root } from '../architecture/source-tree.ts'

const page = readText('ARCHITECTURE.md')

/** The stages that the page lists behind a word, up to the end of the paragraph. */
function stagesBehind(word: string): readonly string[] {
  const [, listed = ''] = new RegExp(`^${word}\\s+([^.\`]*→[^.\`]*)`, 'm').exec(page) ?? []
  const names = listed.split(/\n(?=[a-z]+ {2})/)[0]?.split('→') ?? []
  return names.map((name) => name.trim().replaceAll(' ', '-'))
}

/** What a node runs, as it is put together. */
async function standardInbound(): Promise<InboundPipeline> {
  const built: InboundPipeline[] = []
  const inbound = (standard: InboundPipeline): InboundPipeline => {
    built.push(standard)
    return standard
  }
  await using node = await assembleNode(
    { name: 'acme/desk', issuer: localIssuer('acme') },
    { inbound, outbound: outboundStages },
  )
  await node.start()
  const [pipeline] = built
  if (!pipeline) throw new Error('no pipeline was built')
  return pipeline
}

const namesOf = (...stages: readonly { readonly name: string }[]): readonly string[] => stages.map(({ name }) => name)

describe('ARCHITECTURE.md', () => {
  it('lists the stages of a hop as they run', async () => {
    const { frame, envelope, routes, events } = await standardInbound()
    const all = namesOf(...frame, ...envelope, ...(routes.request ?? []))
    expect(stagesBehind('inbound')).toEqual([...all, 'record'])
    expect(stagesBehind('outbound')).toEqual([...namesOf(...outboundStages), 'record'])
    const [, ofEvents = ''] = /a memory of its ids:\n([^.]*)\./.exec(page) ?? []
    const told = ofEvents.split('→').map((name) => name.trim().replaceAll(' ', '-'))
    expect(told).toEqual([...namesOf(...frame, ...envelope, ...events), 'record'])
  })

  it('names the folders of the mesh', () => {
    const [, row = ''] = /\| \[`mesh`\][^|]*\|([^|]*)\|/.exec(page) ?? []
    const folders = readdirSync(join(root, 'packages/mesh/src'), { withFileTypes: true })
    const names = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name)
    expect(new Set([...row.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name))).toEqual(new Set(names))
  })
})

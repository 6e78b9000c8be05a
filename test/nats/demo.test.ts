import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findNatsServer } from '@parley/nats-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const cacheDir = join(root, '.parley', 'cache')
const runDemoUrl = new URL('../../packages/cli/src/demo/run-demo.ts', import.meta.url).href

/** Runs the demo as a program of its own, as leader of a process group, with a temporary folder of its own. */
function startDemo(env: NodeJS.ProcessEnv, seed: number): Demo {
  const script = `
    const { runDemo } = await import(${JSON.stringify(runDemoUrl)})
    try {
      process.exitCode = await runDemo({ json: true, seed: ${seed}, cacheDir: ${JSON.stringify(cacheDir)} })
    } catch (error) {
      console.error(error.code + ': ' + error.message)
      process.exitCode = 3
    }`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const group = child.pid ?? 0
  let [output, progress] = ['', '']
  const watchers: { readonly text: string; readonly resolve: () => void }[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    progress += text
    for (const watcher of watchers) if (progress.includes(watcher.text)) watcher.resolve()
  })
  return {
    ended: new Promise((resolve) => {
      child.once('close', (code) => resolve({ code, output, progress }))
    }),
    until: (text) =>
      new Promise<void>((resolve) => {
        watchers.push({ text, resolve })
      }),
    signal: (name) => process.kill(-group, name),
    stopReading() {
      child.stdout.destroy()
      child.stderr.destroy()
    },
    isGroupAlive() {
      try {
        return process.kill(-group, 0)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
        throw error
      }
    },
  }
}

interface Demo {
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly progress: string }>
  /** Resolves when the progress holds a text. */
  until(text: string): Promise<void>
  /** Signals the whole group, as a terminal does. */
  signal(name: NodeJS.Signals): void
  /** Closes its output, as `demo | head` does. */
  stopReading(): void
  isGroupAlive(): boolean
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function portOf(progress: string): number {
  return Number(/nats:\/\/127\.0\.0\.1:(\d+)/.exec(progress)?.[1])
}

let temporary = ''

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'parley-test-demo-'))
})

afterEach(async () => {
  await rm(temporary, { recursive: true, force: true })
})

describe('runDemo', () => {
  it('holds in all eight acts and leaves nothing behind', { timeout: 90_000 }, async () => {
    const { path } = await findNatsServer({ env: process.env, cacheDir })
    const demo = startDemo({ TMPDIR: temporary, NATS_SERVER: path }, 42)
    const { code, output, progress } = await demo.ended
    const { acts } = JSON.parse(output) as { readonly acts: readonly Record<string, unknown>[] }
    for (const act of acts) expect(act, progress).toMatchObject({ holds: true, seen: act['expected'] })
    expect(acts.map(({ name }) => String(name).slice(0, 1))).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'])
    expect(code).toBe(0)
    expect(demo.isGroupAlive()).toBe(false)
    expect(await accepts(portOf(progress))).toBe(false)
    expect(await readdir(temporary)).toEqual([])
  })

  it('ends everything at a Ctrl-C', { timeout: 60_000 }, async () => {
    const { path } = await findNatsServer({ env: process.env, cacheDir })
    const demo = startDemo({ TMPDIR: temporary, NATS_SERVER: path }, 1)
    await demo.until('does flights:reserve')
    demo.signal('SIGINT')
    const { code, output, progress } = await demo.ended
    expect(code).toBe(130)
    expect(output).toBe('')
    expect(demo.isGroupAlive()).toBe(false)
    expect(await accepts(portOf(progress))).toBe(false)
    expect(await readdir(temporary)).toEqual([])
  })

  it('leaves nothing behind when nobody reads on', { timeout: 60_000 }, async () => {
    const { path } = await findNatsServer({ env: process.env, cacheDir })
    const demo = startDemo({ TMPDIR: temporary, NATS_SERVER: path }, 1)
    await demo.until('opens its log')
    demo.stopReading()
    const { code, progress } = await demo.ended
    expect(code).toBe(141)
    expect(await accepts(portOf(progress))).toBe(false)
    expect(await readdir(temporary)).toEqual([])
  })

  it('says by code what is missing without a nats-server', async () => {
    const demo = startDemo({ TMPDIR: temporary, NATS_SERVER: join(temporary, 'none') }, 1)
    const { code, output, progress } = await demo.ended
    expect(progress).toContain('nats-server.not-found')
    expect(output).toBe('')
    expect(code).toBe(3)
    expect(await readdir(temporary)).toEqual([])
  })
})

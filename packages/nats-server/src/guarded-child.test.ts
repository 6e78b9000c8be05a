import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startGuardedChild } from './guarded-child.ts'

/** A program that prints its process id and stays; `trap` makes it deaf to an orderly end. */
const program = (trap = ''): readonly string[] => ['-c', `${trap} echo $$; while :; do sleep 0.05; done`]

async function until<Value>(read: () => Value | undefined): Promise<Value> {
  for (let value = read(); ; value = read()) {
    if (value !== undefined) return value
    await delay(5)
  }
}

const isGone = (pid: number): true | undefined => {
  try {
    process.kill(pid, 0)
    return undefined
  } catch {
    return true
  }
}

describe('startGuardedChild', () => {
  it('ends the program when its parent is killed without a chance to tidy up', async () => {
    const source = `
      import { startGuardedChild } from ${JSON.stringify(new URL('guarded-child.ts', import.meta.url).href)}
      const child = startGuardedChild('/bin/sh', ${JSON.stringify(program('trap "" TERM INT HUP;'))})
      setInterval(() => child.output() && console.log(child.output().trim()), 5)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string]
    const pid = Number(line)
    expect(isGone(pid)).toBeUndefined()
    parent.kill('SIGKILL')
    expect(await until(() => isGone(pid))).toBe(true)
  })
  it('ends the program in order or at once', async () => {
    for (const name of ['TERM', 'KILL'] as const) {
      const child = startGuardedChild('/bin/sh', program())
      const pid = Number(await until(() => child.output() || undefined))
      child.signal(name)
      await child.ended
      expect([child.isRunning(), isGone(pid)]).toEqual([false, true])
      child.signal(name)
    }
  })
  it('tells that a program which cannot start has ended, and why', async () => {
    const child = startGuardedChild('/absent/program', [])
    await until(() => (child.isRunning() ? undefined : true))
    expect(child.output()).toContain('/absent/program')
  })
})

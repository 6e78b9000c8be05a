import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startGuardedChild } from './guarded-child.ts'

let server: Server
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  server.close()
})

/** A program that is deaf to an orderly end if it is told so, and holds a connection to the test as long as it lives. */
function program(deaf: boolean): readonly string[] {
  const { port } = server.address() as AddressInfo
  const deafness = `for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {});`
  return ['-e', `${deaf ? deafness : ''} require('node:net').connect(${port}, '127.0.0.1').resume()`]
}

async function acceptProgram(): Promise<{ readonly gone: Promise<unknown> }> {
  const [socket] = (await once(server, 'connection')) as [Socket]
  socket.on('error', () => socket.destroy()).resume()
  return { gone: new Promise((resolve) => socket.once('close', resolve)) }
}

describe('startGuardedChild', () => {
  it('ends the program when its parent is killed without a chance to tidy up', async () => {
    const source = `
      import { startGuardedChild } from ${JSON.stringify(new URL('guarded-child.ts', import.meta.url).href)}
      startGuardedChild(process.execPath, ${JSON.stringify(program(true))})
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'ignore' })
    const { gone } = await acceptProgram()
    expect(parent.exitCode).toBeNull()
    parent.kill('SIGKILL')
    await gone
  })
  it('ends the program in order or at once', async () => {
    for (const name of ['TERM', 'KILL'] as const) {
      const child = startGuardedChild(process.execPath, program(name === 'KILL'))
      const { gone } = await acceptProgram()
      expect(child.isRunning()).toBe(true)
      child.signal(name)
      await Promise.all([child.ended, gone])
      expect(child.isRunning()).toBe(false)
      child.signal(name)
    }
  })
  it('tells that a program which cannot start has ended, and why', async () => {
    const child = startGuardedChild('/absent/program', [])
    await child.ended
    expect(child.output()).toContain('/absent/program')
  })
})

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const lists = join(import.meta.dirname, 'peers')
const files = ['package.json', 'pnpm-lock.yaml'] as const
const timeoutMs = 300_000

/**
 * Installs the peers of the saga bench beside the workspace, once for each lockfile: one of them brings a server of 215 MB,
 * which no `pnpm install` of a contributor should fetch. No install script of theirs runs. Resolves with the folder.
 */
export async function installPeers(log: (line: string) => void): Promise<string> {
  const lockfile = await readFile(join(lists, 'pnpm-lock.yaml'))
  const version = createHash('sha256').update(lockfile).digest('hex').slice(0, 16)
  const cache = join(import.meta.dirname, '../../../.parley/cache')
  const folder = join(cache, `saga-peers-${version}`)
  if (await exists(join(folder, 'node_modules'))) return folder
  log('installing Restate and DBOS, once')
  const making = `${folder}.${String(process.pid)}`
  await mkdir(making, { recursive: true })
  try {
    for (const file of files) await copyFile(join(lists, file), join(making, file))
    const args = ['-y', 'pnpm@10', 'install', '--ignore-workspace', '--frozen-lockfile', '--ignore-scripts']
    await run('npx', args, { cwd: making, timeout: timeoutMs })
    await rename(making, folder)
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    if (!(await exists(join(folder, 'node_modules')))) throw error
  }
  return folder
}

async function exists(path: string): Promise<boolean> {
  return (await import('node:fs')).existsSync(path)
}

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openFileIssuer, readKeyFile, readOrders } from '@parley/identity'
import type { Clock, Random } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import { describeFileError } from '../describe-file-error.ts'
import { failed, type Finding } from './finding.ts'

/** What opens the keys. */
export interface KeyCheckPorts {
  readonly clock: Clock
  readonly random: Random
  readonly passphrase?: string
}

/** Checks every `.key` file of a folder (mode, content), and of an issuer's folder that it issues and that its orders hold. */
export async function checkKeys(dir: string, ports: KeyCheckPorts): Promise<readonly Finding[]> {
  const names = await readdir(dir).catch((cause: NodeJS.ErrnoException) => cause)
  if (names instanceof Error)
    return [failed('keys', new MeshError('cli.usage', `${dir} cannot be read: ${describeFileError(names)}`))]
  const keys = names.filter((name) => name.endsWith('.key')).sort()
  if (keys.length === 0)
    return [
      {
        check: 'keys',
        level: 'fail',
        text: `${dir} holds no .key file`,
        todo: 'Name the folder that parley issuer init made.',
      },
    ]
  const { passphrase } = ports
  const findings: Finding[] = []
  for (const name of keys) findings.push(await checkKey(join(dir, name), passphrase))
  if (keys.includes('issuer.key')) findings.push(await checkIssuer(dir, ports), await checkOrders(dir, ports))
  return findings
}

async function checkKey(path: string, passphrase: string | undefined): Promise<Finding> {
  try {
    await readKeyFile(path, passphrase === undefined ? {} : { passphrase })
    const isEncrypted = passphrase !== undefined
    return {
      check: 'keys',
      level: 'ok',
      text: `${path} is sound and ${isEncrypted ? 'encrypted' : 'readable by its owner alone'}`,
    }
  } catch (error) {
    if (isMeshError(error) && error.code === 'identity.key-file-permissions')
      return { ...failed('keys', error), todo: `Run chmod 600 ${path}, and take the key as known to others.` }
    return failed('keys', error)
  }
}

async function checkIssuer(dir: string, ports: KeyCheckPorts): Promise<Finding> {
  try {
    const { anchor } = await openFileIssuer({ dir, ...ports })
    return { check: 'issuer', level: 'ok', text: `${dir} issues ${anchor.issues.join(', ')} for ${anchor.owner}` }
  } catch (error) {
    return failed('issuer', error)
  }
}

async function checkOrders(dir: string, ports: KeyCheckPorts): Promise<Finding> {
  try {
    const { length } = await readOrders({ dir, ...ports })
    return {
      check: 'orders',
      level: 'ok',
      text: `${join(dir, 'orders')}: ${String(length)} kept, each follows the one before`,
    }
  } catch (error) {
    const found = failed('orders', error)
    if (!isMeshError(error) || error.code !== 'identity.name-not-owned') return found
    return { ...found, todo: 'Move that file out of orders/: no node holds it, and the next order takes its number.' }
  }
}

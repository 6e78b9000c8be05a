import {
  generateUserNkey,
  initNatsAccount,
  mintNatsUserFrom,
  openNatsAccount,
  type NatsAccount,
} from '@parley/identity'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { formatOperatorConfig } from '@parley/transport-nats'

/** The fence of the demo's broker: every agent may publish as itself and hear what is sent to it, and nothing else. */
export interface DemoFence {
  /** What the server is configured with. */
  readonly config: string
  /** What the owners mint user tokens with. */
  readonly account: NatsAccount
  /** Makes the login of somebody who runs the broker: the fence does not hold it. */
  logInAsOperator(): Promise<{ readonly nkey: string; readonly jwt: string }>
}

const operatorMs = 3_600_000

/** Makes the keys of the demo's mesh on its broker in a folder. */
export async function createDemoFence(dir: string): Promise<DemoFence> {
  const random = createSystemRandom()
  const facts = await initNatsAccount({ dir, mesh: 'main', random })
  return {
    config: formatOperatorConfig(facts),
    account: await openNatsAccount({ dir }),
    async logInAsOperator() {
      const { nkey, seed } = generateUserNkey(random)
      const expiresAtMs = createSystemClock().now() + operatorMs
      return { nkey: seed, jwt: await mintNatsUserFrom({ dir }, { nkey, role: 'operator', expiresAtMs }) }
    },
  }
}

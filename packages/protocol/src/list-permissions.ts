import {
  brokerPermissions,
  type BrokerPlace,
  type BrokerPermission,
  type BrokerRole,
  type SubjectPermissions,
} from './broker-permission.ts'
import { MeshError } from './mesh-error.ts'

const tokenPattern = /^(?:[A-Za-z0-9_-]+|\{\{name\(\)\}\}|\{\{tag\((?:agent|issuer)\)\}\})$/

/**
 * The place of whoever a scoped signing key of NATS signs for: the server fills in the user's own name and tags. So the
 * permissions stand in the account, and who holds the signing key can give nobody more.
 */
export const scopedPlace: Required<Omit<BrokerPlace, 'mesh'>> = {
  me: '{{name()}}',
  agent: '{{tag(agent)}}',
  issuer: '{{tag(issuer)}}',
}

/**
 * Lists what a role may do, with the placeholders of the table filled in. Throws `transport.subject-invalid` for a token
 * that is missing or could change what a pattern matches.
 */
export function listPermissions(role: BrokerRole, place: BrokerPlace): SubjectPermissions {
  const fill = ({ subject }: BrokerPermission): string =>
    subject.replaceAll(/\{(mesh|me|agent|issuer)\}/g, (_, name: keyof BrokerPlace) => {
      const token = place[name] ?? ''
      if (tokenPattern.test(token)) return token
      throw new MeshError('transport.subject-invalid', `${JSON.stringify(token)} cannot be the ${name} of a permission`)
    })
  const rows = brokerPermissions.filter((row) => row.role === role)
  return {
    publish: rows.filter(({ verb }) => verb === 'publish').map(fill),
    subscribe: rows.filter(({ verb }) => verb === 'subscribe').map(fill),
  }
}

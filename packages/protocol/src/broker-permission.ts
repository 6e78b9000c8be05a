/**
 * Who a connection to the broker belongs to: an instance of an agent, somebody with a join token who wants to become one,
 * whoever watches the services of a mesh, or whoever runs the broker, which can do everything and against which only
 * signatures stand.
 */
export type BrokerRole = 'instance' | 'joiner' | 'monitor' | 'operator'

/** One line of the table: what a role may publish or subscribe. */
export interface BrokerPermission {
  readonly role: BrokerRole
  readonly verb: 'publish' | 'subscribe'
  /** A subject pattern in which `{mesh}`, `{me}`, `{agent}` and `{issuer}` stand for the tokens of `BrokerPlace`. */
  readonly subject: string
  readonly why: string
}

/** What the placeholders of the table stand for. Each is one token of a subject. */
export interface BrokerPlace {
  readonly mesh: string
  /** The DID of the instance, or of the key of a join token, without `did:key:`. Other roles need none. */
  readonly me?: string
  /** The token of the mailbox of an instance's agent. */
  readonly agent?: string
  /** The DID of the instance at which a joiner asks, without `did:key:`. */
  readonly issuer?: string
}

/** Subjects that a connection may use. Nothing else is permitted, and replies are not permitted on top. */
export interface SubjectPermissions {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** Where answers to the NATS services API may go, and nowhere else: no reply subject of a message is ever trusted. */
export const operationsInboxPrefix = '_INBOX.ops.'

/**
 * The permissions of a broker that fences a mesh, §6.3 of the protocol. Static configuration and user tokens are both made
 * from this table. There is no `allow_responses` for any role: it would let a peer make an instance publish in its place.
 */
export const brokerPermissions: readonly BrokerPermission[] = [
  {
    role: 'instance',
    verb: 'publish',
    subject: 'iatp.1.{mesh}.*.{me}',
    why: 'envelopes to any inbox, as itself',
  },
  {
    role: 'instance',
    verb: 'publish',
    subject: 'iatp.1.{mesh}.event.*.{me}',
    why: 'announcements and other events, as itself',
  },
  {
    role: 'instance',
    verb: 'publish',
    subject: 'iatp.1.{mesh}.mailbox.*.{me}',
    why: 'late answers to the mailbox of an agent, as itself',
  },
  {
    role: 'instance',
    verb: 'publish',
    subject: `${operationsInboxPrefix}>`,
    why: 'answers to the NATS services API',
  },
  { role: 'instance', verb: 'subscribe', subject: 'iatp.1.{mesh}.{me}.*', why: 'its own inbox' },
  { role: 'instance', verb: 'subscribe', subject: 'iatp.1.{mesh}.event.*.*', why: 'events of all' },
  {
    role: 'instance',
    verb: 'subscribe',
    subject: 'iatp.1.{mesh}.mailbox.{agent}.*',
    why: 'the mailbox of its own name',
  },
  { role: 'instance', verb: 'subscribe', subject: '$SRV.>', why: 'questions of the NATS services API' },
  { role: 'joiner', verb: 'publish', subject: 'iatp.1.{mesh}.{issuer}.{me}', why: 'asks its issuer' },
  { role: 'joiner', verb: 'subscribe', subject: 'iatp.1.{mesh}.{me}.{issuer}', why: 'the answers of its issuer' },
  { role: 'monitor', verb: 'publish', subject: '$SRV.>', why: 'asks the NATS services API' },
  { role: 'monitor', verb: 'subscribe', subject: `${operationsInboxPrefix}>`, why: 'its answers' },
  { role: 'operator', verb: 'publish', subject: '>', why: 'runs the broker, so nothing stops it' },
  { role: 'operator', verb: 'subscribe', subject: '>', why: 'runs the broker, so it sees everything' },
]

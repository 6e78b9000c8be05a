import { isAgentName } from '@parley/protocol'

const bare = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Tells whether a word of a document can mean an agent: `acme/desk`, or `desk` alone. */
export function isAgentWord(word: string): boolean {
  return isAgentName(word) || bare.test(word)
}

/** Tells whether a word means the agent of this name. `desk` alone means the agent desk of every owner. */
export function wordMeansAgent(word: string, name: string): boolean {
  return word === name || (!word.includes('/') && name.endsWith(`/${word}`))
}

/**
 * Completes the name of an approver by the owner of the node that decides: whoever wrote `security-team` meant a team of
 * their own, never one of another owner.
 */
export function ownAgentName(word: string, ownName: string): string {
  return word.includes('/') ? word : `${ownName.slice(0, ownName.indexOf('/'))}/${word}`
}

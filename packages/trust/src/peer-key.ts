/** Returns the owner of a peer's key (`owner name`); the key itself if it names none. */
export function ownerOf(peer: string): string {
  const space = peer.indexOf(' ')
  return space < 0 ? peer : peer.slice(0, space)
}

/**
 * Returns the agent of a rater's key. An agent that runs more than once writes a stream each time, whose key has a further
 * word: what counts the evidence differs, whose word it is does not.
 */
export function agentOf(rater: string): string {
  const space = rater.indexOf(' ')
  const end = space < 0 ? -1 : rater.indexOf(' ', space + 1)
  return end < 0 ? rater : rater.slice(0, end)
}

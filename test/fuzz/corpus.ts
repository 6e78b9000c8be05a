/** Reads the frames out of the text of protocol/vectors/frames.json, valid and invalid. */
export function readFrameCorpus(text: string): readonly Uint8Array[] {
  const { frames } = JSON.parse(text) as { readonly frames: readonly { readonly bytes: string }[] }
  return frames.map(({ bytes }) => new Uint8Array(Buffer.from(bytes, 'hex'))).filter((bytes) => bytes.length > 0)
}

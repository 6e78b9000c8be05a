/** Writes untrusted text into a message: quoted, with control characters escaped, cut after `maxLength` characters. */
export function quote(text: string, maxLength: number = 80): string {
  return JSON.stringify(text.length > maxLength ? `${text.slice(0, maxLength)}…` : text)
}

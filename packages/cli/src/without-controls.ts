/** Makes a line safe to print: what callers and other people wrote must not move the cursor of who decides by it. */
export function withoutControls(line: string): string {
  return line.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
}

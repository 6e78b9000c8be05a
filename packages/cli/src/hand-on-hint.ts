/** Says how an order that was just signed into a folder reaches the nodes. */
export function handOnHint(dir: string): string {
  return `a running \`parley issuer run ${dir}\` hands it to the nodes within seconds; else give it to one: node.acceptOrder`
}

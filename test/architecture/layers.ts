/** The layer of every package by folder name. A package imports only packages of lower layers; siblings never meet. */
export const layers: Readonly<Record<string, number>> = {
  protocol: 0,
  ports: 0,
  identity: 1,
  'transport-memory': 1,
  'transport-nats': 1,
  'store-sqlite': 1,
  'store-nats': 1,
  conformance: 1,
  'nats-server': 1,
  trust: 2,
  policy: 2,
  audit: 2,
  reliability: 2,
  mesh: 3,
  saga: 4,
  testkit: 5,
  chaos: 5,
  cli: 6,
  dashboard: 6,
}

/** Families of packages that share a layer by their prefix. Inboxes stand on the port; engines stand on the port that `policy` defines (ADR 11). */
const layerOfPrefix: Readonly<Record<string, number>> = { 'inbox-': 1, 'policy-': 2.5, 'gateway-': 6, 'adapter-': 6 }

/** Packages that only tests import: they bring suites and whole meshes, never a part of a running node. */
export const testOnlyPackages: ReadonlySet<string> = new Set(['conformance', 'testkit'])

/** Tells the layer of a package; undefined for one that the table does not know. */
export function layerOf(name: string): number | undefined {
  const prefix = Object.keys(layerOfPrefix).find((start) => name.startsWith(start))
  return layers[name] ?? (prefix === undefined ? undefined : layerOfPrefix[prefix])
}

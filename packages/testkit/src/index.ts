export { createTestMesh } from './create-test-mesh.ts'
export { fakeHop } from './fake-hop.ts'
export type { TestMesh, TestMeshOptions, TestNodeOptions } from './test-mesh.ts'

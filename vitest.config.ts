import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    // Unit tests end in milliseconds; what is left is for tests that start servers and processes.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 5_000,
    pool: 'forks',
    maxWorkers: 2,
    // A test that passes only at the second try is a defect.
    retry: 0,
    reporters: ['default', './test/reporter/closing-line.ts'],
  },
})

export default config

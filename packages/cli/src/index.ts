export type { CliHost } from './cli-host.ts'
export { exitCodes } from './exit-code.ts'
export { runCli } from './run-cli.ts'

import { measureRecovery } from './recovery.ts'
import { measureWaitingSagas } from './waiting-sagas.ts'

// What waiting costs, and recovery takes, in a process with nothing else in it: `waiting FOLDER SAGAS WOKEN` or
// `recovery FOLDER ORPHANS`. Its last line is JSON.
const [, , what, folder = '', count = '', woken = ''] = process.argv
const log = (line: string): void => {
  console.error(line)
}
const figures =
  what === 'waiting'
    ? await measureWaitingSagas(folder, Number(count), Number(woken), log)
    : await measureRecovery(folder, Number(count), log)
console.log(JSON.stringify(figures))

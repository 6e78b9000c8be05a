import process from 'node:process'
import { openPlanes } from './planes.ts'

// Runs as a process of its own: told folder and broker, says when it is ready, ends when its parent lets go.
const [folder = '', nats = ''] = process.argv.slice(2)
const planes = await openPlanes(folder, { nats })
process.once('disconnect', () => void planes.close())
process.send?.('ready')

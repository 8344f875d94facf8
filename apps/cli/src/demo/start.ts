/**
 * `npm start`: a local network, two people who talk over it, told step by step; then it stays up for whoever wants to join in.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type LocalNetwork, startLocalNetwork } from '@session-v2/node'
import { interrupted } from '../context.ts'
import { shellWord } from '../shell-word.ts'
import { silenceExperimentWarnings } from '../warnings.ts'
import { Narration } from './narration.ts'
import { Person } from './person.ts'
import { tellNetwork, tellPeople, tellStorage, tellTalk } from './story.ts'

const NODES = 9
const SWARMS = 3

const HELP = `Usage: npm start -- [--data DIR] [--port N] [--once]

Starts a local network and lets two people talk over it, step by step.

  --data DIR  keep the network and the accounts here (default: a temporary folder)
  --port N    port of the seed; the nodes take the next ones (default: SESSION_V2_PORT, or any free ports)
  --once      end after the conversation instead of staying up
`

interface Options {
  readonly data: string | undefined
  readonly port: number
  readonly once: boolean
}

function readOptions(words: readonly string[]): Options | undefined {
  const options = {
    data: { type: 'string' },
    port: { type: 'string' },
    once: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  const { values } = parseArgs({ args: [...words], options })
  if (values.help === true) return undefined
  const port = Number(values.port ?? process.env.SESSION_V2_PORT ?? 0)
  if (!Number.isInteger(port) || port < 0 || port > 65_535 - NODES)
    throw new RangeError(`${port} is no port with room for ${NODES} more`)
  return { data: values.data, port, once: values.once === true }
}

async function tell(narration: Narration, network: LocalNetwork, folder: string, options: Options): Promise<readonly Person[]> {
  tellNetwork(narration, network, folder, options.data !== undefined)
  const alice = await Person.atHome('Alice', folder, network.seedUrl)
  const bob = await Person.atHome('Bob', folder, network.seedUrl)
  const people = [alice, bob]
  try {
    tellPeople(narration, people, network)
    const opening = 'Hello Bob, this is our own network.'
    const seen = await tellTalk(narration, [
      [alice, bob, opening],
      [bob, alice, 'Hello Alice! Who else can read this?'],
      [alice, bob, 'Nobody: the nodes keep it, but hold no key.'],
      [bob, alice, 'And when a key is stolen one day? 🔑'],
      [alice, bob, 'Old messages stay closed: old keys are gone.'],
    ])
    tellStorage(narration, seen, opening, people, network)
    return people
  } finally {
    // Their homes must be free for the commands that are printed next.
    await Promise.all(people.map(person => person.client.close()))
  }
}

function tellHowToJoin(narration: Narration, people: readonly Person[], network: LocalNetwork, folder: string): void {
  const [alice] = people as [Person]
  const session = (home: string) => `npx session-v2 --home ${shellWord(home)}`
  const own = session(join(folder, 'me'))
  narration.step('Your turn: in another terminal, in this folder')
  narration.command('make your own account', `${own} --seed ${network.seedUrl}`, 'account create --name Me')
  narration.command('write to Alice', `${own} send`, `${alice.client.accountId} 'Hello Alice'`)
  narration.command('be Alice: read, and wait for more', `${session(alice.folder)} read --follow`)
  narration.command('what else there is', 'npx session-v2 --help')
}

async function main(words: readonly string[]): Promise<number> {
  const options = readOptions(words)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  silenceExperimentWarnings()
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (stop.signal.aborted ? process.exit(130) : stop.abort()))
  const startedMs = Date.now()
  const narration = new Narration(process.stdout)
  const folder = options.data === undefined ? mkdtempSync(join(tmpdir(), 'session-v2-')) : resolve(options.data)
  let network: LocalNetwork | undefined
  try {
    narration.title(
      'Session Protocol V2',
      'Two people talk over storage nodes on this computer. Everything is real: keys, nodes, files.',
    )
    network = await startLocalNetwork({
      nodes: NODES,
      swarms: SWARMS,
      port: options.port,
      dataDirectory: join(folder, 'network'),
    })
    const people = await tell(narration, network, folder, options)
    if (options.once) return 0
    tellHowToJoin(narration, people, network, folder)
    narration.gap()
    narration.text(`Ready after ${((Date.now() - startedMs) / 1000).toFixed(1)} s. The network stays up; Ctrl-C stops it.`)
    await interrupted(stop.signal)
    return 0
  } finally {
    await network?.close()
    if (options.data === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`)
  process.exitCode = 1
}

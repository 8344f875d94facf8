/** A local network for the examples that need one, started by the command that a reader would use. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const START_LIMIT_MS = 60_000

export interface RunningNetwork {
  readonly seedUrl: string
  close(): Promise<void>
}

/** Starts `session-v2 network up` and waits until it serves. Rejects when it ends or says nothing in time. */
export async function startLocalNetwork(root: string): Promise<RunningNetwork> {
  const command = [join(root, 'apps/cli/dist/main.js'), 'network', 'up', '--json', '--port', '0']
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const close = async () => {
    child.kill('SIGTERM')
    await ended
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS)
  try {
    const seedUrl = await seedOf(child.stdout)
    child.stdout.resume()
    return { seedUrl, close }
  } catch (error) {
    await close()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function seedOf(output: Readable): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const { ready, seed } = JSON.parse(line) as { ready?: boolean; seed?: string }
    if (ready === true && seed !== undefined) return seed
  }
  throw new Error('`session-v2 network up` ended before it was ready')
}

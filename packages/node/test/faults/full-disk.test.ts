/**
 * The disk of one member is full: its database reaches its limit, or the kernel takes no more of it. On a machine that lets tests mount,
 * that is a file system of a few megabytes; the limit of the kernel on the size of files works everywhere.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { FaultSwarm, QUICK, serves } from './fault-swarm.ts'
import { Load } from './load.ts'
import type { NodeProcess } from './node-process.ts'

const MIB = 1024 * 1024
const PAYLOAD_BYTES = 5 * 1024
let swarm: FaultSwarm
let load: Load
let unmount = (): void => {}

afterEach(async () => {
  load?.close()
  await swarm?.kill()
  unmount()
  unmount = () => {}
  await swarm?.close()
})

interface Disk {
  readonly name: string
  /** What its owner is told. */
  readonly reason: string
  /** Starts a member on a disk that is too small. */
  start(member: NodeProcess): Promise<void>
  makeRoom(member: NodeProcess): Promise<void>
}

const limited = (member: NodeProcess, limitBytes: number): void => {
  const file = join(member.directory, 'node.toml')
  const text = readFileSync(file, 'utf8').replace(/^database_limit_bytes = .*\n/m, '')
  writeFileSync(file, `database_limit_bytes = ${limitBytes}\n${text}`)
}

const databaseLimit: Disk = {
  name: 'the limit of its database',
  reason: 'the database is full',
  async start(member) {
    limited(member, 2 * MIB)
    await member.start()
  },
  async makeRoom(member) {
    expect(await member.stop()).toEqual({ code: 0, signal: null })
    limited(member, 64 * MIB)
    await member.start()
  },
}

const fileSizes: Disk = {
  name: 'the limit of the kernel on files',
  reason: 'the database refused',
  start: member => member.start({ through: ['prlimit', `--fsize=${2 * MIB}:unlimited`] }),
  async makeRoom(member) {
    execFileSync('prlimit', ['--pid', String(member.pid), '--fsize=unlimited:unlimited'])
  },
}

const fileSystem: Disk = {
  name: 'a small file system',
  reason: 'the database is full',
  async start(member) {
    mount(member.dataDirectory, '-o', 'size=2m')
    unmount = () => void spawnSync('umount', ['--lazy', member.dataDirectory])
    await member.start()
  },
  async makeRoom(member) {
    mount(member.dataDirectory, '-o', 'remount,size=64m')
  },
}

function mount(directory: string, ...options: string[]): void {
  mkdirSync(directory, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', ...options, 'none', directory], { stdio: 'ignore' })
}

/** Whether this machine lets tests mount. */
function mayMount(): boolean {
  const tried = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'])
  return process.getuid?.() === 0 && tried.status === 0
}

const disks = [databaseLimit, fileSizes, ...(mayMount() ? [fileSystem] : [])]

describe.each(disks.map(disk => [disk.name, disk] as const))('a member whose disk is full: %s (NODE-28)', (_, disk) => {
  it('says so, serves on, loses nothing, and has everything once there is room', { timeout: 600_000 }, async () => {
    swarm = await FaultSwarm.start({ members: 3, settings: QUICK })
    load = await Load.of(20)
    const member = swarm.members[1]!
    await member.stop()
    await disk.start(member)
    await serves(member)
    const shares = { payloadBytes: PAYLOAD_BYTES, urls: () => swarm.urls }
    await load.run({ ...shares, messages: 700, deleted: 50, changed: 50 })
    const { status, body } = (await load.storeOnce(member.url, PAYLOAD_BYTES))!
    expect(status).toBe(200)
    const own = (body as { swarm: Record<string, object> }).swarm[member.ed25519]
    expect(own).toEqual({ failed: true, query_failure: true, reason: disk.reason })
    await disk.makeRoom(member)
    await load.ledger.settles(`a full disk, ${disk.name}`, () => swarm.urls)
  })
})

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { encodeUtf8 } from '@session-v2/encoding'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../src/store/sqlite/driver.ts'
import { codeOf } from './people.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'session-v2-sqlite-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const key = encodeUtf8('key')
const put = (value: Uint8Array) => ({ kind: 'put', table: 't', key, value }) as const

/** Opens a database from another process and says what came of it. */
const PROBE = `
  const { createRequire } = require('node:module')
  const load = createRequire(process.argv[1])
  let DatabaseSync
  try { ({ DatabaseSync } = load('node:sqlite')) } catch { ({ DatabaseSync } = load('@photostructure/sqlite')) }
  try {
    const database = new DatabaseSync(process.argv[2])
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT')
    console.log('opened')
  } catch (error) { console.log(error.message) }
`

async function openElsewhere(path: string): Promise<string> {
  const here = createRequire(import.meta.url).resolve('../package.json')
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', PROBE, here, path])
  return stdout.trim()
}

describe('the file of a store', () => {
  it('belongs to one process at a time, and to nobody once it is closed', async () => {
    const path = join(folder, 'lock.db')
    const store = await openSqliteStore(path)
    expect(await openElsewhere(path)).toMatch(/locked/)
    expect(await codeOf(openSqliteStore(path))).toBe('home-locked')
    await store.commit([put(encodeUtf8('still works'))])
    await store.close()
    expect(await openElsewhere(path)).toBe('opened')
    await (await openSqliteStore(path)).close()
  })

  it('is not touched when it is something else, or newer than this program', async () => {
    const path = join(folder, 'other.db')
    const text = 'This is a letter, not a database. '.repeat(100)
    await writeFile(path, text)
    expect(await codeOf(openSqliteStore(path))).toBe('store-damaged')
    expect(await readFile(path, 'utf8')).toBe(text)
    const newer = join(folder, 'newer.db')
    const database = openDatabase(newer)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(await codeOf(openSqliteStore(newer))).toBe('store-damaged')
  })

  it('cannot be where there is no folder', async () => {
    expect(await codeOf(openSqliteStore(join(folder, 'nowhere', 'a.db')))).toBe('store-failed')
  })

  it('says so when it is used after closing', async () => {
    const store = await openSqliteStore(join(folder, 'closed.db'))
    await store.close()
    await store.close()
    expect(await codeOf(store.get('t', key))).toBe('closed')
  })
})

describe('a commit that erases', () => {
  const secrets = Array.from({ length: 20 }, (_, i) => new Uint8Array(6000).fill(i + 1))
  const holds = async (path: string, secret: Uint8Array) => {
    const parts = await Promise.all([path, `${path}-wal`].map(file => readFile(file).catch(() => Buffer.alloc(0))))
    return parts.some(part => part.includes(Buffer.from(secret.subarray(0, 64))))
  }

  it('leaves nothing of what it replaces in file or log', async () => {
    const path = join(folder, 'erase.db')
    const store = await openSqliteStore(path)
    for (const secret of secrets) await store.commit([put(secret)])
    expect(await holds(path, secrets[3]!)).toBe(true)
    await store.commit([put(new Uint8Array(6000).fill(99))], { erase: true })
    for (const secret of secrets) expect(await holds(path, secret)).toBe(false)
    expect(await holds(path, new Uint8Array(6000).fill(99))).toBe(true)
    await store.commit([{ kind: 'delete', table: 't', key }], { erase: true })
    expect(await holds(path, new Uint8Array(6000).fill(99))).toBe(false)
    await store.close()
  })
})

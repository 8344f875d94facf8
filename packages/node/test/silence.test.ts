/**
 * What a node writes down of its clients (clauses NODE-70 to NODE-72): one node of a process of its own is asked for everything there is, by a
 * client of a known address; then its database, its other files, its metrics and its log are searched for what it must not say.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../src/store/sqlite/driver.ts'
import { SilentNode, type Traces } from './silent-node.ts'

/** What the columns may hold, by the first word of the document. */
const MAY_HOLD: Readonly<Record<string, readonly (keyof Traces)[]>> = {
  // Of some accounts the id is the key.
  account: ['account', 'key'],
  hash: ['hash'],
  payload: ['payload', 'token'],
  request: ['account', 'key', 'hash', 'payload', 'token'],
}
/** Of whom and what the node must not know. */
const NEVER: readonly (keyof Traces)[] = ['sender', 'text', 'address']

function documentedColumns(): Map<string, string> {
  const text = readFileSync(new URL('../../../docs/spec/node.md', import.meta.url), 'utf8')
  const columns = new Map<string, string>()
  for (const [, names = '', holds = ''] of text.matchAll(/^\| ((?:`[a-z]+\.[a-z]+`(?:, )?)+) \| (.+) \|$/gm)) {
    for (const [, name = ''] of names.matchAll(/`([a-z.]+)`/g)) columns.set(name, holds.match(/^[a-z]+/)![0])
  }
  return columns
}

function tracesIn(bytes: Buffer, traces: Traces): string[] {
  return Object.entries<readonly Buffer[]>({ ...traces }).flatMap(([kind, needles]) =>
    needles.some(needle => bytes.includes(needle)) ? [kind] : [],
  )
}

const bytesOf = (value: unknown): Buffer => (value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)))

/** The last one may name who exceeds a limit, and does: what is looked for would be found. */
const LOGS = [
  { settings: '', lines: 2, named: [] },
  { settings: '[log]\nlevel = "debug"', lines: 3, named: [] },
  { settings: '[log]\naddresses = true', lines: 2, named: ['address'] },
]

describe.each(LOGS)('a node whose configuration says of its log: "$settings"', ({ settings, lines, named }) => {
  const directory = mkdtempSync(join(tmpdir(), 'silence-'))
  let node: SilentNode
  let traces: Traces
  let metrics: string

  beforeAll(async () => {
    node = await SilentNode.start(directory, settings)
    traces = await node.askForEverything()
    metrics = await node.metrics()
    // As it is found at any moment, the write-ahead log included.
    await node.close()
  }, 120_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it('writes no line about an account, an address, a message or what is in it (NODE-70)', () => {
    const log = readFileSync(join(directory, 'node.log'))
    expect(log.toString().split('\n').length).toBeGreaterThan(lines)
    expect(tracesIn(log, traces)).toEqual(named)
  })
  it('counts without names (NODE-71, NODE-111)', () => {
    expect(metrics).toMatch(/refused_requests_total\{reason="address"\} [1-9]/)
    expect(metrics).toMatch(/requests_total\{method="monitor",|monitor_notifications_total [1-9]/)
    expect(metrics).toMatch(/requests_total\{method="other",status="4xx"\} [1-9]/)
    expect(tracesIn(Buffer.from(metrics), traces)).toEqual([])
  })
  it('has nothing of a sender, a text or an address in any file, nor anything of an account in any but its database (NODE-71)', () => {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
    const files = entries.filter(entry => entry.isFile() && entry.name !== 'node.log')
    expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['messages.db', 'messages.db-wal', 'node.key']))
    for (const { name, parentPath } of files) {
      const found = tracesIn(readFileSync(join(parentPath, name)), traces)
      const isDatabase = name.startsWith('messages.db')
      expect([name, found.filter(kind => !isDatabase || (NEVER as readonly string[]).includes(kind))]).toEqual([name, []])
    }
  })
  it('has of clients in each column what the document says, and has no column that it does not name (NODE-71)', async () => {
    const database = await openDatabase(join(directory, 'data', 'messages.db'))
    const documented = documentedColumns()
    const columns: string[] = []
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all()
    for (const { name: table } of tables) {
      const rows = database.prepare(`SELECT * FROM ${table}`).all()
      for (const { name } of database.prepare(`PRAGMA table_info(${table})`).all()) {
        const column = `${table}.${name}`
        columns.push(column)
        const found = new Set(rows.flatMap(row => tracesIn(bytesOf(row[String(name)]), traces)))
        const may = MAY_HOLD[documented.get(column) ?? ''] ?? []
        expect([column, [...found].filter(kind => !may.includes(kind as keyof Traces))]).toEqual([column, []])
        // What may be there is: nothing is looked for in vain.
        if (may.length > 0) expect([column, found.size > 0]).toEqual([column, true])
      }
    }
    database.close()
    expect(columns.sort()).toEqual([...documented.keys()].sort())
  })
})

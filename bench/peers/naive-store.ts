/**
 * The least that can be called a storage server: node:http, JSON.parse and one INSERT, committed by itself, into a SQLite table in
 * WAL mode, as durable as the node's, with the one index without which no account could be read again. No check, no hash, no
 * uniqueness, no expiry, no signature: the yardstick for what those cost.
 *
 * `node naive-store.js PORT` listens on 127.0.0.1 and prints `{"ready":true,"port":…}`; its database lives in a temporary folder.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getBuiltinModule } from 'node:process'

interface Database {
  exec(sql: string): void
  prepare(sql: string): { run(...values: unknown[]): unknown }
  close(): void
}
type SqliteModule = { DatabaseSync: new (file: string) => Database }

interface StoreRequest {
  readonly params: { readonly pubkey: string; readonly timestamp: number; readonly ttl: number; readonly data: string }
}

const builtIn = getBuiltinModule('node:sqlite') as SqliteModule | undefined
const { DatabaseSync } = builtIn ?? ((await import('@photostructure/sqlite')) as unknown as SqliteModule)
const directory = mkdtempSync(join(tmpdir(), 'naive-store-'))
const database = new DatabaseSync(join(directory, 'store.db'))
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    pubkey TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    ttl INTEGER NOT NULL,
    data TEXT NOT NULL
  );
  CREATE INDEX mailbox ON messages (pubkey);
`)
const insert = database.prepare('INSERT INTO messages (pubkey, timestamp, ttl, data) VALUES (?, ?, ?, ?)')

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const { params } = JSON.parse(Buffer.concat(chunks).toString()) as StoreRequest
    insert.run(params.pubkey, params.timestamp, params.ttl, params.data)
    const body = '{"stored":true}'
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  })
})

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(JSON.stringify({ ready: true, port: (server.address() as AddressInfo).port }))
})

process.on('SIGTERM', () => {
  server.closeAllConnections()
  server.close()
  database.close()
  rmSync(directory, { recursive: true, force: true })
  process.exit(0)
})

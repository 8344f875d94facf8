import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, DEFAULT_MIN_VERSION } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpServer } from '../src/http/http-server.ts'
import { openLog } from '../src/log.ts'
import { loadTls, type TlsTexts } from '../src/operations/tls.ts'
import { systemClock, systemTimers } from '../src/ports.ts'
import { ManualClock } from './manual-clock.ts'

const clock = new ManualClock()
const YEAR_MS = 365.25 * 86_400_000
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tls-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const inDirectory = (name: string) => join(directory, name)
const made = (name: string, host = '0.0.0.0') => loadTls('self-signed', { dataDirectory: inDirectory(name), host, clock })

describe('a certificate of its own (NODE-113)', () => {
  it('is ECDSA on P-256 with SHA-256 for localhost and the host, for ten years', async () => {
    const { certificate, key } = await made('a', '192.0.2.7')
    const x509 = new X509Certificate(certificate)
    expect(x509.subject).toBe('CN=localhost')
    expect(x509.publicKey.asymmetricKeyType).toBe('ec')
    expect(x509.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    for (const ip of ['127.0.0.1', '::1', '192.0.2.7']) expect(x509.checkIP(ip)).toBeDefined()
    expect(x509.checkHost('localhost')).toBe('localhost')
    expect([x509.checkHost('example.org'), x509.checkIP('192.0.2.8')]).toEqual([undefined, undefined])
    expect(x509.ca).toBe(false)
    expect(Date.parse(x509.validFrom)).toBeLessThan(clock.ms)
    expect(Math.abs((Date.parse(x509.validTo) - clock.ms) / YEAR_MS - 10)).toBeLessThan(0.01)
    const encoded = Buffer.from(certificate.replaceAll(/-----.*?-----|\s/g, ''), 'base64')
    const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex')
    expect(encoded.includes(ecdsaWithSha256)).toBe(true)
    expect(key).toContain('PRIVATE KEY')
  })
  it('names a host by name', async () => {
    const { certificate } = await made('named', 'node.example')
    expect(new X509Certificate(certificate).checkHost('node.example')).toBe('node.example')
  })
  it('is made once, its key for the owner’s eyes only', async () => {
    const first = await made('b')
    expect(await made('b')).toEqual(first)
    expect(statSync(inDirectory('b/tls-key.pem')).mode & 0o777).toBe(0o600)
    expect(readFileSync(inDirectory('b/tls-certificate.pem'), 'utf8')).toBe(first.certificate)
  })
  it('is made anew when half of it is missing, also over what a start that died left', async () => {
    const first = await made('c')
    rmSync(inDirectory('c/tls-certificate.pem'))
    writeFileSync(inDirectory('c/tls-key.pem.new'), 'half', { mode: 0o644 })
    const second = await made('c')
    expect(second.certificate).not.toBe(first.certificate)
    expect(statSync(inDirectory('c/tls-key.pem')).mode & 0o777).toBe(0o600)
  })
  it('that is broken is an error that says what to do', async () => {
    await made('d')
    writeFileSync(inDirectory('d/tls-key.pem'), 'broken')
    const message = expect.stringContaining('remove both files to have new ones made')
    await expect(made('d')).rejects.toMatchObject({ code: 'bad-config', message })
  })
  it('of which a file cannot be read is an error that says what to do', async () => {
    await made('e')
    rmSync(inDirectory('e/tls-key.pem'))
    const { mkdirSync } = await import('node:fs')
    mkdirSync(inDirectory('e/tls-key.pem'))
    await expect(made('e')).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining('tls-key.pem') })
  })
})

describe('given files (NODE-113)', () => {
  it('are taken as they are, and refused by name when they do not belong together', async () => {
    const [one, other] = [await made('f'), await made('g')]
    const parts = { dataDirectory: directory, host: '::', clock }
    const files = { certificateFile: inDirectory('f/tls-certificate.pem'), keyFile: inDirectory('f/tls-key.pem') }
    chmodSync(files.keyFile, 0o640)
    expect(await loadTls(files, parts)).toEqual(one)
    expect(other).not.toEqual(one)
    const mixed = { ...files, keyFile: inDirectory('g/tls-key.pem') }
    await expect(loadTls(mixed, parts)).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringContaining(mixed.keyFile),
    })
    await expect(loadTls({ ...files, keyFile: inDirectory('none') }, parts)).rejects.toMatchObject({ code: 'bad-config' })
  })
})

describe('a server over TLS', () => {
  let server: HttpServer
  let port: number
  let tls: TlsTexts
  beforeAll(async () => {
    tls = await loadTls('self-signed', { dataDirectory: inDirectory('server'), host: '127.0.0.1', clock: systemClock })
    server = new HttpServer({
      routes: { 'POST /': (body, _request, address) => ({ status: 200, body: `${address} ${body}` }) },
      software: 'x',
      maxBodyBytes: 1000,
      bodyTimeoutMs: 1000,
      corsOrigins: 'none',
      tls,
      log: openLog({ level: 'silent' }),
      timers: systemTimers,
    })
    port = await server.listen('127.0.0.1', 0)
  })
  afterAll(() => server.close())

  it('answers who verifies its certificate, and counts one connection for it', async () => {
    const agent = new Agent({ keepAlive: true, ca: tls.certificate, maxSockets: 1 })
    const ask = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const outgoing = request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/' }, response => {
          response.on('data', chunk => resolve(String(chunk)))
        })
        outgoing.on('error', reject).end(text)
      })
    expect(await ask('one')).toBe('127.0.0.1 one')
    expect(await ask('two')).toBe('127.0.0.1 two')
    expect(server.connections.open).toBe(1)
    agent.destroy()
  })
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async version => {
    const options = { port, host: '127.0.0.1', minVersion: version, maxVersion: version, rejectUnauthorized: false } as const
    const socket = connect(options)
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    expect(socket.getProtocol()).toBe(version)
    socket.destroy()
  })
  it('does not speak what is older', async () => {
    expect(DEFAULT_MIN_VERSION).toBe('TLSv1.2')
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...old })
    await expect(new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))).rejects.toThrow()
  })
  it('drops who connects and says nothing, or something else', async () => {
    const { connect: plain } = await import('node:net')
    for (const words of ['', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01']) {
      const socket = plain(port, '127.0.0.1', () => socket.write(words))
      socket.on('error', () => {})
      await new Promise(resolve => socket.resume().once('close', resolve))
    }
    // The server hears of the last one a moment after its client.
    while (server.connections.open > 0) await new Promise(resolve => setImmediate(resolve))
  })
})

/**
 * Certificate and key of a node that speaks HTTPS (clause NODE-113): given files, or a certificate that the node signs itself at its first
 * start (ECDSA on P-256 with SHA-256, CN localhost, ten years) and keeps in its data directory.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { TlsConfig } from '../config/node-config.ts'
import { NodeError } from '../node-error.ts'
import type { Clock } from '../ports.ts'

export interface TlsTexts {
  /** PEM. */
  readonly certificate: string
  readonly key: string
}

export interface TlsParts {
  readonly dataDirectory: string
  /** The address that the node listens on; the certificate names it beside loopback. */
  readonly host: string
  readonly clock: Clock
}

const CERTIFICATE_FILE = 'tls-certificate.pem'
const KEY_FILE = 'tls-key.pem'
const OWNER_ONLY = 0o600
const WORLD_READABLE = 0o644
const DAY_MS = 86_400_000
const VALID_MS = 3652 * DAY_MS
const DNS_NAME = 2
const IP_ADDRESS = 7
/** Addresses that stand for all of the machine's, and name none. */
const ANY = new Set(['0.0.0.0', '::'])

/** Rejects with NodeError `bad-config`, whose text says what to do. */
export async function loadTls(config: TlsConfig, parts: TlsParts): Promise<TlsTexts> {
  if (config !== 'self-signed') return read(config.certificateFile, config.keyFile, 'give a certificate and its key as PEM files')
  const certificateFile = join(parts.dataDirectory, CERTIFICATE_FILE)
  const keyFile = join(parts.dataDirectory, KEY_FILE)
  const isMade = (await exists(certificateFile)) && (await exists(keyFile))
  if (!isMade) await make(certificateFile, keyFile, parts)
  return read(certificateFile, keyFile, 'remove both files to have new ones made')
}

async function read(certificateFile: string, keyFile: string, advice: string): Promise<TlsTexts> {
  try {
    const [certificate, key] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(keyFile, 'utf8')])
    createSecureContext({ cert: certificate, key })
    return { certificate, key }
  } catch (cause) {
    const why = (cause as Error).message
    throw new NodeError('bad-config', `tls: ${certificateFile} and ${keyFile} cannot be used (${why}): ${advice}`, { cause })
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await readFile(file)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw new NodeError('bad-config', `tls: ${file} cannot be read: give it to the user that runs the node`, { cause })
  }
}

async function make(certificateFile: string, keyFile: string, parts: TlsParts): Promise<void> {
  const nowMs = parts.clock.nowMs()
  const names = [
    { type: DNS_NAME as 2, value: 'localhost' },
    ...['127.0.0.1', '::1'].map(ip => ({ type: IP_ADDRESS as 7, ip })),
    ...hostName(parts.host),
  ]
  // Loaded when it is needed, once in the life of a node: it brings half of X.509 along.
  const { generate } = await import('selfsigned')
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // A client whose clock is a little behind may use it too.
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + VALID_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names },
    ],
  })
  try {
    await mkdir(parts.dataDirectory, { recursive: true })
    await writeWhole(keyFile, key, OWNER_ONLY)
    await writeWhole(certificateFile, cert, WORLD_READABLE)
  } catch (cause) {
    const { dataDirectory } = parts
    throw new NodeError('bad-config', `tls: ${dataDirectory} cannot be written: give it to the user that runs the node`, {
      cause,
    })
  }
}

function hostName(host: string): ({ type: 2; value: string } | { type: 7; ip: string })[] {
  if (ANY.has(host) || ['localhost', '127.0.0.1', '::1'].includes(host)) return []
  return isIP(host) === 0 ? [{ type: DNS_NAME, value: host }] : [{ type: IP_ADDRESS, ip: host }]
}

/** Half a file would keep the node from starting; one that was left lying would keep its mode. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  await rm(`${file}.new`, { force: true })
  await writeFile(`${file}.new`, text, { mode, flush: true })
  await rename(`${file}.new`, file)
}

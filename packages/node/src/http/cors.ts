/**
 * Which web pages may talk to the node (clause NODE-62). By default those that this machine serves: a page from elsewhere could
 * otherwise use a visitor's own node.
 */
import type { CorsOrigins } from '../config/node-config.ts'

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
const PREFLIGHT_SECONDS = 86_400

/** Whether a page of this origin may read our answers. */
export function allowsOrigin(allowed: CorsOrigins, origin: string): boolean {
  if (allowed === 'none') return false
  if (allowed !== 'loopback') return allowed.includes(origin)
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  return url !== undefined && (LOOPBACK.has(url.hostname) || url.hostname.endsWith('.localhost'))
}

/** Header fields of every answer to an allowed origin. */
export function corsHeaders(origin: string): Record<string, string> {
  return { 'access-control-allow-origin': origin, vary: 'Origin' }
}

/** Further header fields of the answer to a preflight request. */
export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': 'Content-Type',
  'access-control-max-age': String(PREFLIGHT_SECONDS),
}

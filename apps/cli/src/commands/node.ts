/**
 * `node run --config FILE`: one storage node in the foreground, until Ctrl-C; with `--print-config` its settings instead.
 * `node status`: what a node says of itself, whether it is ours or another's.
 */
import { keepHeapSmall, printNodeConfig, readNodeConfig, startNode } from '@session-v2/node'
import type { OptionValues, Run } from '../command-spec.ts'
import { interrupted } from '../context.ts'
import { CliError } from '../failure.ts'
import { askStatus, type NodeStatus } from '../node/status.ts'

const DEFAULT_TIMEOUT_MS = 10_000
/** What a node that listens everywhere is asked at. */
const ANY_HOST: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

export const nodeRun: Run = async (context, _operands, options) => {
  const config = await readNodeConfig(options.config as string)
  if (options.printConfig === true) {
    const text = printNodeConfig(config)
    context.output.result({ config: text }, text.trimEnd())
    return
  }
  keepHeapSmall()
  const node = await startNode(config)
  try {
    const { url, metricsUrl } = node
    const seen = metricsUrl === undefined ? '' : ` Metrics, health and readiness: ${metricsUrl}.`
    context.output.result({ ready: true, url }, `The storage node serves at ${url}.${seen} Ctrl-C stops it.`)
    await Promise.race([interrupted(context.signal), node.damaged.then(error => Promise.reject(error))])
    context.output.note('Stopping the node …')
  } finally {
    await node.close()
  }
}

export const nodeStatus: Run = async (context, _operands, options) => {
  const place = await placeOf(options)
  const status = await askStatus({ ...place, timeoutMs: context.options.timeoutMs ?? DEFAULT_TIMEOUT_MS, signal: context.signal })
  context.output.result({ ...status, reasons: [...status.reasons] }, describe(status))
  if (!status.ready) throw new CliError('node-not-ready', `The node is not ready: ${status.reasons.join('; ')}.`)
}

async function placeOf({ config: file, url }: OptionValues): Promise<{ url: string; operatorUrl?: string }> {
  if ((file === undefined) === (url === undefined)) throw new CliError('usage', 'Give either --config FILE or --url URL.')
  if (url !== undefined) return { url: (url as string).replace(/\/+$/, '') }
  const { host, port, tls, metrics } = await readNodeConfig(file as string)
  if (port === 0) throw new CliError('usage', 'The configuration leaves the port to chance: give the address with --url URL.')
  const operatorUrl = metrics === undefined || metrics.port === 0 ? undefined : `http://${inUrl(metrics.host)}:${metrics.port}`
  const own = `${tls === undefined ? 'http' : 'https'}://${inUrl(host)}:${port}`
  return { url: own, ...(operatorUrl !== undefined && { operatorUrl }) }
}

function inUrl(host: string): string {
  const asked = ANY_HOST[host] ?? host
  return asked.includes(':') ? `[${asked}]` : asked
}

function describe(status: NodeStatus): string {
  const swarm = status.swarm === null ? 'unknown' : `${status.swarm} (${status.peers} other members)`
  return [
    `node     ${status.url}`,
    `ready    ${status.ready ? 'yes' : `no: ${status.reasons.join('; ')}`}`,
    `version  ${status.version ?? 'unknown'}`,
    `key      ${status.ed25519 ?? 'unknown'}`,
    `swarm    ${swarm}`,
    ...(status.clock_off_ms === null ? [] : [`clock    ${status.clock_off_ms} ms off this computer's`]),
  ].join('\n')
}

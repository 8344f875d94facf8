/** What a node tells its operator, on a listener of its own: metrics, whether it lives, whether it is ready (clauses NODE-111, NODE-112). */
import type { NodeMetrics } from '../operations/metrics.ts'
import type { Readiness } from '../operations/readiness.ts'
import type { Route } from './http-answer.ts'

/** The routes for an HttpServer. */
export function operationsRoutes(metrics: NodeMetrics, readiness: Readiness): Record<string, Route> {
  const { registry } = metrics
  return {
    'GET /metrics': async () => ({
      status: 200,
      body: await registry.metrics(),
      headers: { 'content-type': registry.contentType },
    }),
    'GET /health': () => ({ status: 200, body: { live: true } }),
    'GET /ready': () => {
      const reasons = readiness.reasons()
      return { status: reasons.length === 0 ? 200 : 503, body: { ready: reasons.length === 0, reasons } }
    },
  }
}

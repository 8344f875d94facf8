/** No file sits in an import cycle; type-only imports count, because a reader follows them too. */
import { importEdges } from './import-graph.ts'
import type { Finding, Rule } from './tree.ts'

export const importCycles: Rule = {
  name: 'import-cycles',
  check: tree => {
    const edges = importEdges(tree)
    const finished = new Set<string>()
    const findings: Finding[] = []
    for (const path of edges.keys()) visit(path, [], edges, finished, findings)
    return findings
  },
}

/** Depth first: an edge back into the path that led here closes a cycle. */
function visit(
  path: string,
  trail: readonly string[],
  edges: ReadonlyMap<string, readonly string[]>,
  finished: Set<string>,
  findings: Finding[],
): void {
  const at = trail.indexOf(path)
  if (at !== -1) {
    findings.push({ path, line: 1, text: `cycle: ${[...trail.slice(at), path].join(' → ')}` })
    return
  }
  if (finished.has(path)) return
  for (const next of edges.get(path) ?? []) visit(next, [...trail, path], edges, finished, findings)
  finished.add(path)
}

/**
 * A storage node cannot read messages, by its import graph and not only by cryptography: nothing that the node or the delivery
 * plane reaches holds a label of the content plane, without which none of its keys can be derived.
 */
import { importEdges } from './import-graph.ts'
import { findingAt, type Rule } from './tree.ts'

const LABELS = ['SessionV2MessageSS', 'SessionDeviceKeys', 'Session-Msg-KISS']
const ROOTS = ['packages/node/src/', 'packages/network/src/']

export const nodeLabels: Rule = {
  name: 'node-labels',
  check: tree => {
    const edges = importEdges(tree)
    const reached = new Set<string>()
    const waiting = [...edges.keys()].filter(path => ROOTS.some(root => path.startsWith(root)))
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (reached.has(path)) continue
      reached.add(path)
      waiting.push(...(edges.get(path) ?? []))
    }
    return tree.modules
      .filter(module => reached.has(module.path))
      .flatMap(module =>
        LABELS.filter(label => module.text.includes(label)).map(label =>
          findingAt(module, module.text.indexOf(label), `a storage node reaches the label "${label}" of the content plane`),
        ),
      )
  },
}

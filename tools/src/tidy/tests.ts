/** Tests that are skipped, or that silence the others, are checks that nobody makes. */
import { child, nameOf } from './syntax.ts'
import { findingAt, type Rule } from './tree.ts'

export const disabledTests: Rule = {
  name: 'disabled-tests',
  check: tree =>
    tree.modules
      .filter(module => module.isTest)
      .flatMap(module =>
        module.syntax.nodes
          .filter(node => {
            const object = nameOf(child(node, 'object')) ?? ''
            return /^(it|test|describe)$/.test(object) && /^(skip|only|todo)$/.test(nameOf(child(node, 'property')) ?? '')
          })
          .map(node => findingAt(module, node.start, 'a test runs, or is taken away')),
      ),
}

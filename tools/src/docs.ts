/**
 * The documents as a check: every example that says it runs is type-checked and run, what it says it prints is what it prints, and
 * every relative link leads somewhere. A document that must hold an example and has none fails too.
 */
import { committedPaths, committedTexts } from './committed-files.ts'
import { type Example, examplesOf } from './docs/examples.ts'
import { brokenLinks } from './docs/links.ts'
import { type RunningNetwork, startLocalNetwork } from './docs/local-network.ts'
import { compileExamples, runExample } from './docs/run-example.ts'

/** Documents without a running example would be promises. */
const REQUIRED = ['README.md']

const root = process.cwd()
const documents = committedTexts(root).filter(({ path }) => path.endsWith('.md'))
const paths = new Set(committedPaths(root))
const examples = documents.flatMap(({ path, text }) => examplesOf(path, text))

const failures = [
  ...REQUIRED.filter(path => !examples.some(example => example.path === path)).map(path => `${path}:1 has no example that runs`),
  ...documents.flatMap(({ path, text }) =>
    brokenLinks(path, text, paths).map(({ target, line }) => `${path}:${line} the link ${target} leads nowhere`),
  ),
  ...(await exampleFailures()),
]
for (const failure of failures) console.log(failure)
console.log(`docs: ${documents.length} documents, ${examples.length} examples, ${failures.length} failures`)
if (failures.length > 0) process.exitCode = 1

async function exampleFailures(): Promise<string[]> {
  const complaints = await compileExamples(root, examples)
  if (complaints !== '') return [`examples do not compile:\n${complaints}`]
  const network = examples.some(example => example.needsNetwork) ? await startLocalNetwork(root) : undefined
  try {
    return await runAll(examples, network)
  } finally {
    await network?.close()
  }
}

async function runAll(all: readonly Example[], network: RunningNetwork | undefined): Promise<string[]> {
  const environment = network === undefined ? {} : { SESSION_V2_SEED: network.seedUrl }
  const found: string[] = []
  for (const [index, example] of all.entries()) {
    const failure = await runExample(root, example, index, environment)
    if (failure !== '') found.push(`${example.path}:${example.line} ${failure}`)
  }
  return found
}

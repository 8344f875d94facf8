/**
 * The test suite under another version of Node: `npm run test:node 24`, and further arguments for vitest after it. The version
 * comes from npm as a package without an install script, and stays in node_modules/.cache.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const [major, ...vitestArguments] = process.argv.slice(2)
if (major === undefined || !/^\d+$/.test(major)) {
  console.error('usage: npm run test:node MAJOR [-- VITEST ARGUMENTS], for example: npm run test:node 24')
  process.exit(2)
}

const node = nodeOf(major)
console.log(`node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`)
// First in the path, so that what the tests start by the name `node` is this version too.
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
const { status } = spawnSync(node, ['node_modules/vitest/vitest.mjs', 'run', ...vitestArguments], { stdio: 'inherit', env })
process.exitCode = status ?? 1

/** The path of that version's executable, installed on first use. */
function nodeOf(version: string): string {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const folder = join(process.cwd(), 'node_modules', '.cache', `node-${version}`)
  const executable = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(executable)) return executable
  mkdirSync(folder, { recursive: true })
  // A package of its own, or npm would install into the workspace around it.
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  const install = ['install', '--no-save', '--ignore-scripts', '--prefix', folder, `${name}@${version}`]
  execFileSync('npm', install, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' })
  return executable
}

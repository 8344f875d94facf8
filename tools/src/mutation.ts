/**
 * Mutation testing of one chapter: `npm run mutation -- message-v2`. Every small change of its code must make a test fail that
 * concerns it. Writes tools/mutation/results/<chapter>.json; exits with 1 when the score is too low or a mutant survives that is
 * not in tools/mutation/survivors/<chapter>.json. Stryker is installed on first use, outside of the workspace.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { committedPaths } from './committed-files.ts'
import { CHAPTERS, testsOf } from './mutation/chapters.ts'
import { complaintsAbout, parseKnownSurvivors } from './mutation/known-survivors.ts'
import { type MutationReport, summaryOf } from './mutation/summary.ts'

const FOLDER = 'tools/mutation'
const STRYKER = `${FOLDER}/node_modules/@stryker-mutator/core`
/** As tools/mutation/stryker.json says. */
const REPORT = 'node_modules/.cache/mutation/report.json'
/** Few runs of what runs often: a mutant that only one in thousands of inputs meets is met by a vector, or is not known. */
const FEW_RUNS = { FUZZ_RUNS: '50', HISTORY_RUNS: '20' }

const [name = ''] = process.argv.slice(2)
const chapter = CHAPTERS[name]
if (chapter === undefined || !existsSync(FOLDER)) {
  console.error(`usage: npm run mutation -- CHAPTER, one of ${Object.keys(CHAPTERS).join(', ')}`)
  process.exit(2)
}

installOnce()
const tests = testsOf(chapter, committedPaths('.'))
if (tests.length === 0) throw new Error(`the chapter ${name} has no tests`)
rmSync(REPORT, { force: true })
const run = ['run', `${FOLDER}/stryker.json`, '--mutate', `${chapter.sources}/**/*.ts`]
const env = { ...process.env, ...FEW_RUNS, MUTATION_TESTS: tests.join(' ') }
const { status } = spawnSync(process.execPath, [`${STRYKER}/bin/stryker.js`, ...run], { stdio: 'inherit', env })
if (status !== 0) process.exit(status ?? 1)

const summary = summaryOf(name, JSON.parse(readFileSync(REPORT, 'utf8')) as MutationReport)
mkdirSync(`${FOLDER}/results`, { recursive: true })
writeFileSync(`${FOLDER}/results/${name}.json`, `${JSON.stringify(summary, undefined, 2)}\n`)
const list = `${FOLDER}/survivors/${name}.json`
const complaints = complaintsAbout(summary, existsSync(list) ? parseKnownSurvivors(readFileSync(list, 'utf8')) : [])
for (const complaint of complaints) console.log(complaint)
const counts = Object.entries(summary.counts).map(([fate, count]) => `${count} ${fate}`)
console.log(`mutation: ${name}, score ${summary.score} %, ${counts.join(', ')}, ${complaints.length} complaints`)
if (complaints.length > 0) process.exitCode = 1

/** Installs exactly what is locked, unless that version is there. */
function installOnce(): void {
  const wanted = (JSON.parse(readFileSync(`${FOLDER}/package.json`, 'utf8')) as Manifest).dependencies?.['@stryker-mutator/core']
  const manifest = `${STRYKER}/package.json`
  const there = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')) as Manifest).version : undefined
  if (there === wanted) return
  const shell = process.platform === 'win32'
  execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: FOLDER, stdio: ['ignore', 'inherit', 'inherit'], shell })
}

interface Manifest {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

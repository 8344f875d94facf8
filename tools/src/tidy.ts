/**
 * The form of the repository as a check: prints `path:line rule: text` for each finding and exits with 1, or one line when all is
 * well. The rules are in tidy/, one noun a file.
 */
import { committedTexts } from './committed-files.ts'
import { RULES } from './tidy/rules.ts'
import { treeOf } from './tidy/tree.ts'

const tree = treeOf(committedTexts(process.cwd()))
const lines = RULES.flatMap(rule => rule.check(tree).map(({ path, line, text }) => `${path}:${line} ${rule.name}: ${text}`))
for (const line of lines) console.log(line)
console.log(`tidy: ${tree.files.length} files, ${RULES.length} rules, ${lines.length} findings`)
if (tree.modules.length === 0 || lines.length > 0) process.exitCode = 1

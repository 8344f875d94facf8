/** The trace for readers: a Markdown table of who implements and tests each clause. */
import type { Coverage } from './coverage.ts'

/** One row a clause, under one heading a chapter. A file under `vectors` counts once for its folder. */
export function tableOf(coverage: readonly Coverage[]): string {
  const chapters = [...new Set(coverage.map(({ clause }) => clause.path))]
  return chapters
    .map(path => {
      const rows = coverage.filter(({ clause }) => clause.path === path).map(rowOf)
      return [`## ${path}`, '', '| clause | implemented in | tested in |', '|---|---|---|', ...rows, ''].join('\n')
    })
    .join('\n')
}

function rowOf({ clause, implementedIn, testedIn }: Coverage): string {
  return `| ${clause.id} | ${listOf(implementedIn)} | ${listOf(testedIn)} |`
}

function listOf(paths: readonly string[]): string {
  const files = paths.filter(path => !path.endsWith('.json'))
  const counts = new Map<string, number>()
  for (const path of paths.filter(path => path.endsWith('.json'))) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  return [...files, ...[...counts].map(([folder, count]) => `${folder} (${count})`)].join('<br>') || '–'
}

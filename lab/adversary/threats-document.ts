/** THREATS.md, and the table of a run: both from what the attacks say of themselves. Nothing in the document differs from run to run. */
import type { Attack, Attempt, Finding } from './attack.ts'

export type Findings = Readonly<Record<string, Finding>>

const INTRODUCTION = `# Threats

What is promised against whom, and what is not. Each claim is an attack in \`lab/attacks\` that runs against the real client, over a real
network, with the adversary's knowledge spelled out; each attempt is made, and must end as it says here. \`npm run lab\` runs them, prints
what was measured, and writes this file: it is generated, and changed where the attacks are. What is outside of all this, and how to report
a problem, is in [SECURITY.md](SECURITY.md).

An attempt *fails* when the adversary gets nothing. It *succeeds* when they get what they tried for. It *is told* when they get something, or
do harm, and the devices of those concerned say so. *Ours* is with everything that this project does. *Plain* is with what the wire asks for
and no more: a device keeps its first key for ever, a sender takes the keys that it is shown and writes without forward secrecy where it is
shown none, and whatever opens is a new message.
`

/** The document, with a newline at its end. */
export function threatsDocument(attacks: readonly Attack[]): string {
  const overview = ['| | | fails | is told | succeeds |', '|---|---|---|---|---|', ...attacks.map(overviewRow)].join('\n')
  return [INTRODUCTION, `${overview}\n`, ...attacks.map(chapter)].join('\n')
}

/** Attempts by how they end; those that only show what is true without our rules are in brackets. */
function overviewRow({ id, title, attempts }: Attack): string {
  const count = (ends: string) => {
    const all = Object.values(attempts).filter(attempt => attempt.ends === ends)
    const plain = all.filter(({ rules }) => rules === 'plain').length
    return `${all.length - plain}${plain === 0 ? '' : ` (+${plain} plain)`}`
  }
  return `| [${id}](#${anchorOf(id, title)}) | ${title} | ${count('fails')} | ${count('is told')} | ${count('succeeds')} |`
}

function chapter({ id, title, claim, adversary, attempts }: Attack): string {
  const rows = Object.values(attempts).map(
    ({ tries, rules, ends, because }) => `| … ${tries} | ${rules} | ${ends} | ${because} |`,
  )
  const known = adversary.map(knowledge => `- ${knowledge}`)
  const table = ['| the adversary | rules | | because |', '|---|---|---|---|', ...rows]
  return [`## ${id} ${title}`, '', claim, '', 'The adversary', '', ...known, '', ...table, ''].join('\n')
}

function anchorOf(id: string, title: string): string {
  return `${id} ${title}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')
}

/** Names of the attempts that did not end as they must. */
export function surprises({ attempts }: Attack, findings: Findings): string[] {
  return Object.entries(attempts).flatMap(([name, { ends }]) => (findings[name]?.ends === ends ? [] : [name]))
}

/** What a run of an attack shows, as text for a terminal. */
export function outcomeTable({ id, title, attempts }: Attack, findings: Findings): string {
  const rows = Object.entries(attempts).map(([name, attempt]) => outcomeRow(attempt, findings[name]))
  return [`${id}  ${title}`, ...rows, ''].join('\n')
}

function outcomeRow({ tries, rules, ends }: Attempt, finding: Finding | undefined): string {
  const found = finding?.ends ?? 'not tried'
  const verdict = found === ends ? found : `${found.toUpperCase()}, not: ${ends}`
  const figure = finding?.figure === undefined ? '' : `  (${finding.figure})`
  return `  ${verdict.padEnd(9)}  ${rules === 'plain' ? '[plain] ' : ''}${tries}${figure}`
}

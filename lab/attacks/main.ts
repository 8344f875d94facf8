/** `npm run lab`: runs every attack, prints how each attempt ended, and writes THREATS.md. Fails when one did not end as it says. */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Attack } from '../adversary/attack.ts'
import { Scene } from '../adversary/scene.ts'
import { type Findings, outcomeTable, surprises, threatsDocument } from '../adversary/threats-document.ts'
import { ATTACKS } from './attack-list.ts'

/** From where this file is compiled to. */
const DOCUMENT = fileURLToPath(new URL('../../../THREATS.md', import.meta.url))

async function findingsOf({ run }: Attack): Promise<Findings> {
  const scene = await Scene.open()
  try {
    return await run(scene)
  } finally {
    await scene.close()
  }
}

let surprised = 0
for (const attack of ATTACKS) {
  const findings = await findingsOf(attack)
  surprised += surprises(attack, findings).length
  console.log(outcomeTable(attack, findings))
}
if (surprised > 0) {
  console.error(`${surprised} attempts did not end as they must; THREATS.md was not written.`)
  process.exitCode = 1
} else {
  await writeFile(DOCUMENT, threatsDocument(ATTACKS))
  console.log('All attempts ended as they must. THREATS.md was written.')
}

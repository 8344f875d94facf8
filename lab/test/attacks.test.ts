import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { Scene } from '../adversary/scene.ts'
import { outcomeTable, surprises, threatsDocument } from '../adversary/threats-document.ts'
import { ATTACKS } from '../attacks/attack-list.ts'

/** Far more than any takes: nothing here is timed. */
const PATIENCE_MS = 600_000

describe.each(ATTACKS)('$id $title', attack => {
  it(
    'ends as it says',
    async () => {
      const scene = await Scene.open()
      try {
        const findings = await attack.run(scene)
        expect(Object.keys(findings).sort()).toEqual(Object.keys(attack.attempts).sort())
        expect(surprises(attack, findings), outcomeTable(attack, findings)).toEqual([])
      } finally {
        await scene.close()
      }
    },
    PATIENCE_MS,
  )
})

describe('THREATS.md', () => {
  it('is what the attacks say', async () => {
    const written = await readFile(new URL('../../THREATS.md', import.meta.url), 'utf8')
    expect(written).toBe(threatsDocument(ATTACKS))
  })

  it('tells an attempt that ends otherwise', () => {
    const [attack] = ATTACKS
    const [name] = Object.keys(attack!.attempts)
    expect(surprises(attack!, { ...attack!.attempts, [name!]: { ends: 'succeeds' } })).toEqual([name])
    expect(outcomeTable(attack!, { [name!]: { ends: 'succeeds' } })).toContain('SUCCEEDS, not: fails')
  })
})

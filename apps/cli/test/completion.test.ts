import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { requireBuilt, run } from './command-process.ts'

requireBuilt()

/** What bash offers after these words, the last of them unfinished. */
async function bashOffers(...words: string[]): Promise<string[]> {
  const { stdout } = await run(['completion', 'bash'])
  const quoted = ['session-v2', ...words].map(word => `'${word}'`).join(' ')
  const ask = `${stdout}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _session_v2; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', ask], { encoding: 'utf8' }).trim().split('\n')
}

describe('completion bash', () => {
  it('offers commands', async () => {
    expect(await bashOffers('ac')).toEqual(['account'])
    expect(await bashOffers('account', 're')).toEqual(['restore', 'recovery-password'])
    expect(await bashOffers('de')).toEqual(['devices', 'device'])
    expect(await bashOffers('link', 're')).toEqual(['request', 'requests'])
  })

  it('offers the options of the command and the global ones', async () => {
    expect(await bashOffers('network', 'up', '--s')).toEqual(['--swarms', '--seed'])
    expect(await bashOffers('link', 'ignore', '--d')).toEqual(['--delete', '--direct'])
  })

  it('offers the values of an option and of an operand', async () => {
    expect(await bashOffers('account', 'create', '--words', '')).toEqual(['13', '25'])
    expect(await bashOffers('completion', 'f')).toEqual(['fish'])
  })

  it('looks past options and their values', async () => {
    expect(await bashOffers('--home', 'x', 'account', '--json', 'sh')).toEqual(['show'])
  })
})

/** Conditions of ifelse, and whether they hold. */
import type { Case } from './case.ts'

const NODE = { hf: [19, 4], v: [2, 8, 0], height: 1000 }

/** The cases for a chapter. */
export function conditionCases(chapter: string): Case[] {
  const rows: [name: string, condition: Record<string, unknown>, holds: boolean, reason: string][] = [
    ['hf-is', { hf_at_least: [19, 4] }, true, 'what is equal is at least that'],
    ['hf-alone', { hf_at_least: [19] }, true, 'the revision left out is 0'],
    ['hf-number', { hf_at_least: 19 }, true, 'one integer is a list of one'],
    ['hf-later-revision', { hf_at_least: [19, 5] }, false, 'the revision decides where the fork is the same'],
    ['hf-later', { hf_at_least: [20, 0] }, false, 'a smaller revision does not make up for the fork'],
    ['hf-before-itself', { hf_before: [19, 4] }, false, 'nothing is before itself'],
    ['hf-before', { hf_before: [19, 5] }, true, 'a later revision'],
    ['v-at-least', { v_at_least: [2, 7, 99] }, true, 'the first part that differs decides'],
    ['v-before-short', { v_before: [2, 8] }, false, '2.8 is 2.8.0'],
    ['v-before', { v_before: [3] }, true, 'version 3 is 3.0.0'],
    ['height-is', { height_at_least: 1000 }, true, 'what is equal is at least that'],
    ['height-before-itself', { height_before: 1000 }, false, 'nothing is before itself'],
    ['all', { hf_at_least: [19], v_at_least: [2], height_before: 1001 }, true, 'all of them hold'],
    ['one-fails', { hf_at_least: [19], v_at_least: [2], height_before: 5 }, false, 'one that does not hold is enough'],
  ]
  return rows.map(([name, condition, holds, reason]) => ({
    chapter,
    name: `ifelse-${name}`,
    reason,
    clause: 'RPC-98',
    in: { if: condition, ...NODE },
    out: { condition: holds },
  }))
}

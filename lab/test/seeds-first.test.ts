import { describe, it } from 'vitest'
import { expectNoViolation, FAULTS } from './seeds.ts'

const TIMEOUT_MS = 600_000

describe('the simulator', () => {
  it('lives through the seeds 1 to 50 without a violation', () => expectNoViolation(1, 50, FAULTS), TIMEOUT_MS)
})

import { describe, it } from 'vitest'
import { expectNoViolation } from './seeds.ts'

const TIMEOUT_MS = 600_000

describe('the simulator', () => {
  it('lives through the seeds 101 to 150 without a violation', () => expectNoViolation(101, 50), TIMEOUT_MS)
})

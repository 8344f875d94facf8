import { describe, it } from 'vitest'
import { expectNoViolation } from './seeds.ts'

const TIMEOUT_MS = 600_000

describe('the simulator', () => {
  it('lives through the seeds 1 to 100 without a violation', () => expectNoViolation(1, 100), TIMEOUT_MS)
})

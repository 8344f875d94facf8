/** Property tests draw the same inputs for every mutant: whether one survives must not be a matter of luck. */
import fc from 'fast-check'

fc.configureGlobal({ seed: 1 })

/** Differential testing against other implementations: one JSON request a line in, one JSON answer a line out. */
export { createInterop, type Interop, loadInterop } from './interop.ts'

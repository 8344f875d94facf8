/** Language-neutral known answers of Session Protocol V2. */
export { loadVectors, loadVectorsOfKind, type Vector, type VectorFile } from './load.ts'

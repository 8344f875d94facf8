/** Contract suites for adapters of this package's ports. */
export { type ContractCheck, recordStoreContract } from './record-store-contract.ts'
export { type TransportCheck, type TransportSurroundings, transportContract } from './transport-contract.ts'

/** Contract suites for adapters of this package's ports, and what looks into a store that is at rest. */

export { SealedStore } from '../store/sealed/sealed-store.ts'
export { openVault } from '../store/sealed/vault.ts'
export { type ContractCheck, recordStoreContract } from './record-store-contract.ts'
export { type TransportCheck, type TransportSurroundings, transportContract } from './transport-contract.ts'

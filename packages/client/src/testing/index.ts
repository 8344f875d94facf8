/** Contract suites for adapters of this package's ports. */
export { type ContractCheck, recordStoreContract } from './record-store-contract.ts'

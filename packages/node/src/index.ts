/** The storage node daemon: one node, a seed, or a whole local network in one process. */
export { type NodeConfig, parseNodeConfig, readNodeConfig } from './config/node-config.ts'
export { type LocalNetwork, type LocalNetworkOptions, startLocalNetwork } from './local-network.ts'
export { type RunningNode, startNode } from './node.ts'
export { NodeError, type NodeErrorCode } from './node-error.ts'
export { type Clock, systemClock, systemTimers, type Timers } from './ports.ts'
export { type RunningSeed, startSeed } from './seed.ts'

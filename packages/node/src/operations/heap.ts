/**
 * How freely the engine lets its heap grow (clause NODE-116). Left to itself it lets garbage grow to several times what is alive, since most
 * programs are alone on their machine; the node then takes three times the memory that it needs.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemTimers, type Timers } from '../ports.ts'

/** Two halves of 4 MiB: smaller ones are collected so often that requests cost a third more. */
const YOUNG_BYTES = 8 * 1024 * 1024
const LOOK_MS = 1_000
/** What large bodies leave behind before it is collected. The engine itself waits for 64 MiB, and a third of the heap. */
const LEFT_MAX_BYTES = 8 * 1024 * 1024

let collect = (): void => {}
let leftBytes = 0

/**
 * For the program that runs a node, before it starts one. The old part of the heap is collected when it has grown by a third. The young part
 * grows under load to three times 16 MiB, which costs half as much memory again and saves nothing that can be measured: nearly all that a
 * request makes is dead when it is answered (benches `memory`, `storage-rpc`, `swarm-store`). V8 takes its largest size at the start of the
 * process only, but whether it grows whenever it would; so it is looked at once a second. When a node has been idle V8 makes it smaller, and
 * it may grow again.
 */
export function keepHeapSmall(timers: Timers = systemTimers): void {
  setFlagsFromString('--optimize-for-size')
  setFlagsFromString('--expose-gc')
  collect = runInNewContext('gc')
  let mayGrow = true
  const look = (): void => {
    const isSmall = youngBytes() < YOUNG_BYTES
    if (isSmall !== mayGrow) setFlagsFromString(`--semi-space-growth-factor=${isSmall ? 2 : 1}`)
    mayGrow = isSmall
    timers.after(LOOK_MS, look)
  }
  look()
}

/** Tells of a large body that nobody needs any more. In a program that keeps its heap small what they leave is collected in time. */
export function leaveBehind(sizeBytes: number): void {
  leftBytes += sizeBytes
  if (leftBytes < LEFT_MAX_BYTES) return
  leftBytes = 0
  collect()
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
}

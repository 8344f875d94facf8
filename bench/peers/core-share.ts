/**
 * Holds processes to a share of one core each, as the kernel's CPU quota does where it may be set: what a process runs is taken from an
 * allowance that grows with time, and it is stopped (SIGSTOP) while that is used up. The share is of CPU time, not of the clock, and what
 * was run too much in one step is missing in the next, so that on average it is exact.
 *
 * `node core-share.js SHARE PID…` prints `{"ready":true}` and lets them go on when its standard input ends.
 */
import { cpuUs } from '../storage-rpc.bench.ts'

const STEP_MS = 5
/** What a process that idles may save up, in milliseconds of the clock. */
const SAVED_MS = 20

interface Held {
  readonly pid: number
  usedUs: number
  allowanceUs: number
  isStopped: boolean
}

const [share, ...pids] = process.argv.slice(2).map(Number) as [number, ...number[]]
const held: Held[] = pids.map(pid => ({ pid, usedUs: cpuUs(pid), allowanceUs: 0, isStopped: false }))
let last = process.hrtime.bigint()

function step(): void {
  const now = process.hrtime.bigint()
  const grownUs = (share * Number(now - last)) / 1000
  last = now
  for (const each of held) {
    const usedUs = cpuUs(each.pid)
    each.allowanceUs = Math.min(each.allowanceUs + grownUs, share * SAVED_MS * 1000) - (usedUs - each.usedUs)
    each.usedUs = usedUs
    if (each.isStopped === each.allowanceUs < 0) continue
    each.isStopped = !each.isStopped
    process.kill(each.pid, each.isStopped ? 'SIGSTOP' : 'SIGCONT')
  }
}

/** However this process ends, none stays stopped. */
process.on('exit', () => {
  for (const { pid, isStopped } of held) {
    try {
      if (isStopped) process.kill(pid, 'SIGCONT')
    } catch {
      // gone
    }
  }
})
// Ctrl-C reaches all of them at once; stopped ones take note of it only when they go on.
process.on('SIGINT', () => {})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
setInterval(step, STEP_MS)
console.log(JSON.stringify({ ready: true }))

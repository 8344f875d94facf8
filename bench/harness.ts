/**
 * The measuring bench: candidates of one comparison run in alternation, round by round, so that a busy moment of the machine
 * falls on all of them alike. What is kept is the median over the rounds; what is judged is the ratio to the baseline of the
 * same run, never a figure of another day.
 */

/** One thing to measure. `run` does the work once; its result is kept alive so that nothing is optimised away. */
export interface Candidate {
  readonly name: string
  readonly run: () => unknown
}

export interface Measurement {
  readonly name: string
  /** Median time of one operation, in microseconds. */
  readonly medianUs: number
  /** Median divided by the baseline's median of the same comparison. */
  readonly ratio: number
}

/** What is not the time of an operation: a rate, a size, a share. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
}

export interface Comparison {
  readonly title: string
  readonly baseline: string
  readonly rows: readonly Measurement[]
  readonly figures?: readonly Figure[]
}

export interface CompareOptions {
  readonly baseline: string
  /** Rounds of alternation. */
  readonly rounds?: number
  /** How long each candidate runs per round, in milliseconds. */
  readonly sliceMs?: number
}

let sink: unknown

/** Microseconds per operation over one slice of `sliceMs` milliseconds. */
function measureSlice(candidate: Candidate, sliceMs: number): number {
  const start = process.hrtime.bigint()
  const end = start + BigInt(Math.round(sliceMs * 1e6))
  let operations = 0
  let now = start
  while (now < end) {
    for (let i = 0; i < 4; i++) sink = candidate.run()
    operations += 4
    now = process.hrtime.bigint()
  }
  return Number(now - start) / 1000 / operations
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Runs the candidates alternately and prints their medians and ratios. */
export function compare(title: string, candidates: readonly Candidate[], options: CompareOptions): Comparison {
  const rounds = options.rounds ?? 15
  const sliceMs = options.sliceMs ?? 30
  for (const candidate of candidates) measureSlice(candidate, sliceMs * 2)
  const samples = candidates.map(() => [] as number[])
  for (let round = 0; round < rounds; round++) {
    for (const [i, candidate] of candidates.entries()) samples[i]!.push(measureSlice(candidate, sliceMs))
  }
  const medians = samples.map(median)
  const baseIndex = candidates.findIndex(candidate => candidate.name === options.baseline)
  if (baseIndex < 0) throw new Error(`no candidate is named ${options.baseline}`)
  const rows = candidates.map((candidate, i) => ({
    name: candidate.name,
    medianUs: round(medians[i]!),
    ratio: round(medians[i]! / medians[baseIndex]!),
  }))
  const comparison = { title, baseline: options.baseline, rows }
  printComparison(comparison)
  return comparison
}

export function round(value: number): number {
  return Number(value.toPrecision(4))
}

export function printComparison(comparison: Comparison): void {
  console.log(`\n${comparison.title}`)
  for (const row of comparison.rows) {
    console.log(`  ${row.name.padEnd(44)}${row.medianUs.toFixed(1).padStart(10)} µs${row.ratio.toFixed(2).padStart(9)} ×`)
  }
  for (const { name, value, unit } of comparison.figures ?? []) {
    console.log(`  ${name.padEnd(44)}${String(round(value)).padStart(10)} ${unit}`)
  }
}

/** The rows of samples that were taken in alternation: medians, and their ratios to the first. */
export function medianRows(names: readonly string[], samplesUs: readonly (readonly number[])[]): Measurement[] {
  const medians = samplesUs.map(median)
  return names.map((name, i) => ({ name, medianUs: round(medians[i]!), ratio: round(medians[i]! / medians[0]!) }))
}

/** Keeps the last result reachable; printing it would be noise. */
export function lastResult(): unknown {
  return sink
}

/**
 * Prints how the time of a comparison grows: the exponent of the size, as the slope of the least-squares line through the logarithms
 * of both. `nameOf` gives the row of a size.
 */
export function printGrowth(
  label: string,
  comparison: Comparison,
  sizes: readonly number[],
  nameOf: (size: number) => string,
): void {
  const points = sizes.map(size => {
    const row = comparison.rows.find(({ name }) => name === nameOf(size))!
    return { x: Math.log(size), y: Math.log(row.medianUs) }
  })
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))]
  const covariance = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0)
  const exponent = covariance / points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  console.log(`  ${label.padEnd(44)}${exponent.toFixed(2).padStart(10)}`)
}

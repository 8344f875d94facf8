/**
 * What failed paths are held against whom, once a request has ended. What a path says can be a lie of any of its nodes, and what it does
 * not say can be this device's own connection (ON-50 to ON-54); a second path knows better.
 *
 * | the path | another path brought a reply | another failed | it was the only one |
 * |---|---|---|---|
 * | said nothing | as judged | as judged, if that one's guard answered; else nobody | nobody |
 * | named the destination | it lied: the path | nobody, if it says the same; else as judged | as judged |
 * | failed otherwise | as judged, at once | as judged, at once | as judged, at once |
 *
 * The sixth time in a row that two paths name the destination, without any reply between, it is both paths after all: two that lie
 * together do not cut this device off.
 */
import { type Blame, errorOfTransport, NetworkError, type OnionPath, type PathFailure } from '@session-v2/network'
import type { Paths } from './paths.ts'

export interface FailedPath extends PathFailure {
  readonly path: OnionPath
  /** Ed25519 key of the node that was to be asked. */
  readonly destination: string
  /** Whether the guard said nothing at all. */
  readonly isSilent: boolean
  readonly cause?: unknown
}

/** More than the members of a swarm that one request asks when all but one are down. */
const CLAIMS_MAX = 6

export class PathVerdict {
  readonly #paths: Paths
  /** How often two paths have named the destination since the last reply. */
  #claims = 0

  constructor(paths: Paths) {
    this.#paths = paths
  }

  /** A path failed: what needs no second opinion is held against it at once, so that the next path can avoid its nodes. */
  async failed(failure: FailedPath): Promise<void> {
    if (!failure.isSilent && !namesDestination(failure)) await this.#paths.failed(failure.path, failure.blame)
  }

  /** A reply came over a path, after these had failed. */
  async answered(path: OnionPath, failures: readonly FailedPath[]): Promise<void> {
    this.#claims = 0
    for (const failure of failures) {
      if (failure.isSilent) await this.#paths.failed(failure.path, failure.blame)
      else if (namesDestination(failure)) await this.#paths.failed(failure.path, PATH)
    }
    await this.#paths.succeeded(path)
  }

  /** No reply came. @returns what to tell whoever asked */
  async unanswered(failures: readonly FailedPath[]): Promise<NetworkError> {
    const isConnected = failures.some(({ isSilent }) => !isSilent)
    const claims = failures.filter(namesDestination)
    const isConfirmed = claims.length > 1 && ++this.#claims < CLAIMS_MAX
    if (claims.length > 1 && !isConfirmed) this.#claims = 0
    for (const failure of failures) {
      if (failure.isSilent && isConnected) await this.#paths.failed(failure.path, failure.blame)
      if (namesDestination(failure) && !isConfirmed)
        await this.#paths.failed(failure.path, claims.length > 1 ? PATH : failure.blame)
    }
    const cause = failures.at(-1)?.cause
    if (claims.length > 0 && claims.length === failures.filter(({ isSilent }) => !isSilent).length) {
      return errorOfTransport('unreachable', cause)
    }
    return new NetworkError('unreachable', 'no path to the node answers', { retry: 'later', cause })
  }
}

const PATH: Blame = { kind: 'path' }

function namesDestination({ blame, destination }: FailedPath): boolean {
  return blame.kind === 'node' && blame.ed25519 === destination
}

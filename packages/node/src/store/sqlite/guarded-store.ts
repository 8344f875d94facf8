/**
 * The database of a node, guarded against damage (clause NODE-28). Damage shows when a page is read, so a file that was opened may turn out
 * to be damaged later. What is left of it is not to be trusted: the swarm has what was in it.
 *
 * | damage shows | then |
 * |---|---|
 * | when the file is opened | it is put aside, and an empty one takes its place |
 * | while the node runs | `damaged` resolves, and the file is put aside when the store is closed |
 */
import { describeException, type Log } from '../../log.ts'
import { NodeError } from '../../node-error.ts'
import type { MessageStore } from '../store.ts'
import { setAside } from './set-aside.ts'
import { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'

export interface GuardedStore {
  readonly store: MessageStore
  /** Resolves with the first error of the code `store-corrupt`: whoever runs the node closes it, and starts it again. */
  readonly damaged: Promise<NodeError>
}

/** Opens or creates the store in `file`. Rejects with NodeError `store-failed`. */
export async function openGuardedStore(file: string, options: SqliteStoreOptions, log: Log): Promise<GuardedStore> {
  const store = await openUndamaged(file, options, log)
  let damage: NodeError | undefined
  let tell: (error: NodeError) => void
  const damaged = new Promise<NodeError>(resolve => {
    tell = resolve
  })
  const failed = (error: unknown): void => {
    if (damage !== undefined || !isDamage(error)) return
    damage = error
    log.error('the database is damaged: the node ends; when it starts again it has an empty one, which its swarm fills')
    tell(error)
  }
  const close = async (): Promise<void> => {
    try {
      await store.close()
    } catch (error) {
      if (damage === undefined) throw error
      log.warn(describeException(error), 'the damaged database cannot be closed')
    }
    if (damage === undefined) return
    log.error({ aside: await setAside(file, options.clock.nowMs()) }, 'the damaged database was put aside')
  }
  return { store: watched(store, failed, once(close)), damaged }
}

async function openUndamaged(file: string, options: SqliteStoreOptions, log: Log): Promise<MessageStore> {
  try {
    return await openSqliteStore(file, options)
  } catch (error) {
    if (!isDamage(error)) throw error
    const aside = await setAside(file, options.clock.nowMs())
    log.error({ aside }, 'the database is damaged and was put aside: the node starts with an empty one, which its swarm fills')
    return openSqliteStore(file, options)
  }
}

function isDamage(error: unknown): error is NodeError {
  return error instanceof NodeError && error.code === 'store-corrupt'
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => {
    running ??= run()
    return running
  }
}

type Method = (...values: unknown[]) => Promise<unknown>

/** The same store, of which every failure is told, and which closes in another way. */
function watched(store: MessageStore, failed: (error: unknown) => void, close: () => Promise<void>): MessageStore {
  const methods = new Map<string | symbol, unknown>([['close', close]])
  return new Proxy(store, {
    get(target, name) {
      let method = methods.get(name)
      if (method === undefined) {
        const found: unknown = Reflect.get(target, name, target)
        if (typeof found !== 'function') return found
        const run = (found as Method).bind(target)
        method = (...values: unknown[]) => {
          const done = run(...values)
          done.catch(failed)
          return done
        }
        methods.set(name, method)
      }
      return method
    },
  })
}

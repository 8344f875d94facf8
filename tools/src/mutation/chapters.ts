/** The chapters whose code is mutated, and which tests must notice: those that concern it, and no others. */

export interface MutatedChapter {
  /** Folder of the sources. */
  readonly sources: string
  /** Names of the test files, or how they begin, in packages/protocol/test. */
  readonly tests: readonly string[]
}

const TESTS = 'packages/protocol/test/'

export const CHAPTERS: Readonly<Record<string, MutatedChapter>> = {
  'message-v1': chapter('message-v1'),
  'message-v2': chapter('message-v2', 'plaintext'),
  'account-keys': chapter('account-keys', 'account-key', 'keyring', 'continuity', 'rotation', 'published-keys'),
  'device-keys': chapter('device-keys'),
  'device-group': chapter('device-group', 'device-record', 'device-id', 'group-', 'key-slots', 'random-order', 'device-link'),
  'device-link': chapter('device-link', 'link-request'),
  'device-states': chapter('device-states'),
  'history-transfer': chapter('history-transfer'),
}

/** The folder and the tests have the name of the chapter; further tests begin with `others`. */
function chapter(name: string, ...others: readonly string[]): MutatedChapter {
  return { sources: `packages/protocol/src/${name}`, tests: [name, ...others] }
}

/** The test files of a chapter among `paths`. */
export function testsOf({ tests }: MutatedChapter, paths: readonly string[]): string[] {
  return paths.filter(path => {
    const name = path.startsWith(TESTS) ? path.slice(TESTS.length) : ''
    return name.endsWith('.test.ts') && tests.some(beginning => name.startsWith(beginning))
  })
}

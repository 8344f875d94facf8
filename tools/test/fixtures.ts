/** For every rule small trees that offend against it, and trees that look alike and do not. */

/** Paths and texts of a tree. */
export type Fixture = Readonly<Record<string, string>>

export interface RuleFixtures {
  /** Each must give at least one finding. */
  readonly bad: readonly Fixture[]
  /** None may give any. */
  readonly good: readonly Fixture[]
}

/** The package.json files of a workspace, with the entry `.` each. */
function manifests(...names: readonly string[]): Fixture {
  const entry = (name: string) => ({ name: `@session-v2/${name}`, exports: { '.': { source: './src/index.ts' } } })
  return Object.fromEntries(names.map(name => [`packages/${name}/package.json`, JSON.stringify(entry(name))]))
}

const PACKAGES = manifests('encoding', 'crypto', 'protocol', 'network', 'interop', 'client', 'node')

/** The packages, and the tools with what tests use of them. */
const TOOLS: Fixture = {
  ...PACKAGES,
  'tools/package.json': '{"name":"@session-v2/tools","exports":{"./fuzz":{"source":"./src/fuzz/in-time.ts"}}}',
}

/** A file of the protocol package with this text, and the manifests around it. */
function protocol(text: string): Fixture {
  return { ...PACKAGES, 'packages/protocol/src/account/account.ts': text }
}

function lines(count: number): string {
  return 'export const a = 1\n'.repeat(count)
}

function functionOf(count: number): string {
  return `it('x', () => {\n${'  a()\n'.repeat(count - 2)}})\n`
}

const IMPORTS: Readonly<Record<string, RuleFixtures>> = {
  parsed: {
    bad: [protocol('const = 1'), protocol('const a = await import(name())')],
    good: [protocol("const NAME = 'sodium-native'\nawait import(NAME)")],
  },
  'package-imports': {
    bad: [
      protocol("import { swarmOf } from '@session-v2/network'"),
      protocol("import type { Namespace } from '@session-v2/network'"),
      protocol("export type A = import('@session-v2/network').Namespace"),
      protocol("await import('@session-v2/network')"),
      protocol("import { a } from '../../../network/src/namespace.ts'"),
      { ...PACKAGES, 'packages/node/src/node.ts': "import { openMessage } from '@session-v2/protocol'" },
      { ...PACKAGES, 'packages/client/src/client.ts': "import { startNode } from '@session-v2/node'" },
      { ...PACKAGES, 'apps/cli/src/commands/send.ts': "import { startNode } from '@session-v2/node'" },
      { ...PACKAGES, 'apps/cli/src/commands/send.ts': "import { createInterop } from '@session-v2/interop'" },
      { ...PACKAGES, 'apps/cli/src/commands/send.ts': "import { Secret } from '@session-v2/crypto'" },
      { ...PACKAGES, 'packages/another/src/a.ts': 'export const a = 1' },
      { ...TOOLS, 'packages/protocol/src/account/account.ts': "import { inTime } from '@session-v2/tools/fuzz'" },
    ],
    good: [
      protocol(
        "import { Secret } from '@session-v2/crypto' // not from '@session-v2/network'\nexport const a = '@session-v2/network'",
      ),
      { ...PACKAGES, 'apps/cli/src/commands/network.ts': "import { startLocalNetwork } from '@session-v2/node'" },
      { ...PACKAGES, 'apps/cli/src/commands/interop.ts': "import { createInterop } from '@session-v2/interop'" },
      { ...PACKAGES, 'packages/client/test/send.test.ts': "import { startLocalNetwork } from '@session-v2/node'" },
      { ...TOOLS, 'packages/protocol/test/fuzz.test.ts': "import { inTime } from '@session-v2/tools/fuzz'" },
    ],
  },
  'deep-imports': {
    bad: [
      protocol("import { hex } from '@session-v2/encoding/src/hex.ts'"),
      protocol("import { hex } from '@session-v2/encoding/hex'"),
    ],
    good: [protocol("import { encodeHex } from '@session-v2/encoding'")],
  },
  'own-index': {
    bad: [protocol("import { a } from '../index.ts'"), protocol("import type { A } from '@session-v2/protocol'")],
    good: [
      protocol("import { ProtocolError } from '../protocol-error.ts'"),
      { ...PACKAGES, 'packages/protocol/test/a.test.ts': "import { a } from '../src/index.ts'" },
    ],
  },
  barrels: {
    bad: [
      protocol("export { a } from './a.ts'"),
      { 'packages/protocol/src/account/index.ts': "export type { A } from './a.ts'" },
    ],
    good: [
      { ...PACKAGES, 'packages/protocol/src/index.ts': "export { a } from './account/account.ts'" },
      protocol('export { a }'),
    ],
  },
  'folder-order': {
    bad: [
      protocol("import { seal } from '../message-v2/seal.ts'"),
      protocol("import type { Content } from '../content/content.ts'"),
      protocol("import { openMessage } from '../message.ts'"),
      { 'packages/protocol/src/protocol-error.ts': "import { seal } from './message-v2/seal.ts'" },
      { 'packages/protocol/src/somewhere/a.ts': '' },
      {
        'packages/protocol/src/config/a.ts': "import type { B } from '../group/b.ts'",
        'packages/protocol/src/group/c.ts': "import type { D } from '../config/d.ts'",
      },
    ],
    good: [
      { 'packages/protocol/src/message-v2/seal.ts': "import { a } from '../account/account.ts'\nimport './open.ts'" },
      { 'packages/protocol/src/message.ts': "import { seal } from './message-v2/seal.ts'" },
      { ...PACKAGES, 'packages/protocol/src/index.ts': "export { seal } from './message-v2/seal.ts'" },
      protocol("import { ProtocolError } from '../protocol-error.ts'"),
    ],
  },
  'import-cycles': {
    bad: [
      { 'packages/crypto/src/a.ts': "import './b.ts'", 'packages/crypto/src/b.ts': "import './a.ts'" },
      { 'packages/crypto/src/a.ts': "import './b.ts'", 'packages/crypto/src/b.ts': "import type { A } from './a.ts'" },
      {
        'packages/crypto/src/a.ts': "export * as b from './b.ts'",
        'packages/crypto/src/b.ts': "await import('./c.ts')",
        'packages/crypto/src/c.ts': "export type A = import('./a.ts').A",
      },
    ],
    good: [{ 'packages/crypto/src/a.ts': "import './b.ts'\nimport './c.ts'", 'packages/crypto/src/b.ts': "import './c.ts'" }],
  },
  'node-labels': {
    bad: [
      { 'packages/network/src/a.ts': "export const label = 'SessionV2MessageSS'" },
      {
        ...PACKAGES,
        'packages/node/src/node.ts': "import { a } from './a.ts'",
        'packages/node/src/a.ts': "import { b } from '@session-v2/crypto'",
        'packages/crypto/src/index.ts': "export { b } from './b.ts'",
        'packages/crypto/src/b.ts': "export const b = 'Session-Msg-KISS'",
      },
    ],
    good: [protocol("export const label = 'SessionDeviceKeys'")],
  },
}

const AMBIENT: Readonly<Record<string, RuleFixtures>> = {
  'ambient-calls': {
    bad: [
      'Date.now()',
      'new Date()',
      'Date()',
      'performance.now()',
      'setTimeout(f, 1)',
      'globalThis.setTimeout(f, 1)',
      "globalThis['setInterval'](f, 1)",
      'const later = setImmediate',
      'AbortSignal.timeout(5)',
      'const everything = globalThis',
      'Math.random()',
      'const { random } = Math',
      'const { fetch } = globalThis',
      'crypto.getRandomValues(a)',
      'globalThis.crypto.getRandomValues(a)',
      'await fetch(url)',
      'process.env',
      "console.log('x')",
      'Buffer.from(a)',
      'indexedDB.open(name)',
      'const a = (fetch as unknown) as F',
      'function f() { const fetch = 1; return fetch }\nfetch(url)',
      'export const now = { at: Date.now }',
    ].map(protocol),
    good: [
      protocol("// Date.now() and fetch\nexport const text = 'setTimeout(f, 1)'"),
      protocol('new Date(0).toISOString()'),
      protocol('export function f(fetch: F, crypto: C) { return [fetch(1), crypto.subtle] }'),
      protocol('export const f = ({ process }: P) => process.now()'),
      protocol("import { process } from './a.ts'\nprocess()"),
      protocol('export type A = typeof fetch | Buffer\nexport interface B { fetch(process: string): Date }'),
      protocol('export const a = { fetch: 1, console: 2 }\na.fetch\nthis.process'),
      protocol("switch (event) { case 'a': { const process = 1; f(process) } }"),
      {
        'packages/client/src/ports/clock.ts': 'Date.now()',
        'packages/client/src/scheduler/system-timers.ts': 'setTimeout(f, 1)',
      },
      {
        'packages/client/src/transport/direct/direct-transport.ts': 'fetch(url)',
        'packages/crypto/src/random.ts': 'crypto.getRandomValues(a)',
      },
      {
        'packages/node/src/ports.ts': 'Date.now(); setTimeout(f, 1)',
        'apps/cli/src/main.ts': 'process.exit(); console.log(Date.now())',
      },
      { 'packages/client/test/a.test.ts': 'Date.now(); process.env' },
    ],
  },
  'node-imports': {
    bad: [
      protocol("import { readFileSync } from 'node:fs'"),
      { 'packages/client/src/client.ts': "import type { A } from 'node:http'" },
    ],
    good: [
      {
        'packages/crypto/src/native/a.ts': "import 'node:crypto'",
        'packages/client/src/store/sqlite/a.ts': "import 'node:sqlite'",
      },
      { 'packages/node/src/node.ts': "import 'node:http'", 'packages/protocol/test/a.test.ts': "import 'node:fs'" },
    ],
  },
}

const DEPENDENCIES: Readonly<Record<string, RuleFixtures>> = {
  'forbidden-dependencies': {
    bad: [
      protocol("import { sha256 } from '@noble/hashes/sha2.js'"),
      protocol("import sodium from 'libsodium-sumo'"),
      { 'packages/node/src/a.ts': "import { createHash } from 'node:crypto'" },
      { 'packages/node/src/a.ts': "import { z } from 'zod'" },
      { 'packages/crypto/src/a.ts': "import sodium from 'libsodium-wrappers-sumo'" },
      { 'package.json': '{"devDependencies":{"eslint":"9.0.0"}}' },
    ],
    good: [
      { 'packages/protocol/test/a.test.ts': "import { sha256 } from '@noble/hashes/sha2.js'" },
      { 'packages/crypto/src/wasm/a.ts': "import sodium from 'libsodium-sumo'\nimport { gcm } from '@noble/ciphers/aes.js'" },
      { 'package.json': '{"devDependencies":{"@noble/hashes":"2.4.0"}}' },
    ],
  },
  'declared-dependencies': {
    bad: [
      { ...PACKAGES, 'packages/node/src/a.ts': "import pino from 'pino'" },
      { ...PACKAGES, 'packages/node/src/a.ts': "import { a } from '@session-v2/network'" },
      {
        ...PACKAGES,
        'package.json': '{"devDependencies":{"pino":"10.4.0"}}',
        'packages/node/src/a.ts': "import pino from 'pino'",
      },
    ],
    good: [
      {
        'packages/node/package.json': '{"dependencies":{"pino":"10.4.0"}}',
        'packages/node/src/a.ts': "import pino from 'pino/file'",
      },
      {
        'package.json': '{"devDependencies":{"vitest":"4.1.12"}}',
        'packages/node/test/a.test.ts': "import { it } from 'vitest'",
      },
    ],
  },
  'pinned-versions': {
    bad: ['^1.2.3', '~1.2.3', '*', 'latest', '>=1.0.0', '1.2', 'github:a/b'].map(version => ({
      'packages/node/package.json': JSON.stringify({ dependencies: { pino: version } }),
    })),
    good: [{ 'package.json': '{"dependencies":{"a":"1.2.3","b":"1.2.3-rc.1"},"peerDependencies":{"c":"^1.0.0"}}' }],
  },
  'lockfile-hosts': {
    bad: [{ 'package-lock.json': '{"packages":{"a":{"resolved": "https://example.org/a.tgz"}}}' }],
    good: [{ 'package-lock.json': '{"packages":{"a":{"resolved": "packages/a", "link": true}}}' }],
  },
}

const NAMES: Readonly<Record<string, RuleFixtures>> = {
  'named-exports': {
    bad: ['export default 1', 'export default class A {}', "export * from './a.ts'"].map(protocol),
    good: [protocol("export const a = 'export default'"), { 'vitest.config.ts': 'export default {}' }],
  },
  'exported-names': {
    bad: [
      'export class KeyManager {}',
      'export const keyHelpers = 1',
      'export function hexUtil() {}',
      'export interface UtilOptions {}',
      'export function handleMessage() {}',
      'export const processBatch = () => 1',
      'const a = 1\nexport { a as data }',
    ].map(protocol),
    good: [
      protocol('export class KeyHandle {}\nexport const processing = 1\nexport type Utility = 1\nconst handleMessage = 1'),
      { 'packages/network/src/storage-rpc/methods/info.ts': 'export const info = 1' },
    ],
  },
  'path-names': {
    bad: [
      'packages/node/src/utils/a.ts',
      'packages/node/src/helpers.ts',
      'packages/node/src/nodeError.ts',
      'docs/Some_Page.md',
    ].map(path => ({ [path]: '' })),
    good: [
      {
        'packages/node/src/node-error.ts': '',
        'README.md': '',
        LICENSE: '',
        '.ci/run': '',
        'docs/decisions/0001-two-planes.md': '',
        'packages/node/test/a.test.ts': '',
      },
    ],
  },
}

const FORM: Readonly<Record<string, RuleFixtures>> = {
  'secret-comparison': {
    bad: [
      'export const a = secret.expose() === other',
      'export const a = other !== secret.expose()',
      'export const a = secret.expose()[0] === 1',
      'export const a = encodeHex(secret.expose()) === text',
      'export const a = secret.expose().toString() == text',
      'export const a = equalBytes(a.seed.expose(), b)',
      'export const a = (secret!.expose() as unknown) === other',
    ].map(protocol),
    good: [protocol('export const a = secret.expose().length === 32 && constantTimeEqual(a.expose(), b) && secret.equals(b)')],
  },
  'module-header': {
    bad: [
      protocol('export const a = 1'),
      protocol('// a\nexport const a = 1'),
      protocol("import './a.ts'\n/** What this file is for. */"),
    ],
    good: [
      protocol('/** What this file is, in a sentence. */\nexport const a = 1'),
      { 'apps/cli/src/main.ts': '#!/usr/bin/env node\n/** What this file is, in a sentence. */\nmain()' },
    ],
  },
  docstrings: {
    bad: [
      protocol('/** The header of the module. */\nexport function f() {}'),
      protocol('// No docstring.\nexport async function f() {}'),
    ],
    good: [protocol('/** The header of the module. */\n/** What f does. */\nexport function f() {}\nfunction g() {}')],
  },
  'file-size': {
    bad: [{ 'packages/node/src/a.ts': lines(401) }, { 'packages/node/test/a.test.ts': lines(401) }],
    good: [{ 'packages/node/src/a.ts': lines(400), 'packages/protocol/src/recovery-password/words-english.ts': lines(1700) }],
  },
  'function-size': {
    bad: [{ 'packages/node/test/a.test.ts': functionOf(71) }, protocol(`function f() {\n${'\n'.repeat(70)}}`)],
    good: [{ 'packages/node/test/a.test.ts': functionOf(70) }],
  },
  'disabled-tests': {
    bad: ["it.skip('a', f)", "describe.only('a', f)", "test.todo('a')"].map(text => ({ 'packages/node/test/a.test.ts': text })),
    good: [{ 'packages/node/test/a.test.ts': "it('it.skip', f)\nlist.skip(1)" }],
  },
  unfinished: {
    bad: [protocol('// TODO: more'), { 'docs/a.md': 'A page.\nFIXME' }],
    good: [protocol("export const a = 'TODO'"), { 'docs/a.md': 'All that is to do is done.' }],
  },
  'self-contained': {
    bad: [
      protocol(`export const a = '/${'work'}/main'`),
      { 'packages/node/test/a.test.ts': `const a = '/${'work'}/main'` },
      { 'docs/a.md': `Look in /${'tmp'} or /${'home'}/alice` },
      { '.npmrc': `registry=https://registry.${'npmjs'}.org` },
      { 'docs/a.md': `Written by an ${'AI'}.` },
      protocol(`// ${'AI'}-generated`),
      { 'CHANGELOG.md': `Co-authored${'-by'}: somebody` },
    ],
    good: [
      {
        'packages/node/test/a.test.ts': "const a = '/tmp/x'",
        'docs/a.md': 'How it works: https://example.org/tmp/work/a, ./work/a.',
      },
      protocol("import { Agent } from 'node:https'\n// The agent keeps connections alive."),
    ],
  },
}

export const FIXTURES: Readonly<Record<string, RuleFixtures>> = { ...IMPORTS, ...AMBIENT, ...DEPENDENCIES, ...NAMES, ...FORM }

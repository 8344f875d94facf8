#!/usr/bin/env node
// The installed command. It only finds the built program, so that a checkout that is not built yet says what to do.
import { existsSync } from 'node:fs'

const main = new URL('../dist/main.js', import.meta.url)
if (existsSync(main)) await import(main.href)
else {
  process.stderr.write('session-v2 is not built yet. Run: npm run build\n')
  process.exitCode = 1
}

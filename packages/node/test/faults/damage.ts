/** Damages a database as a failing disk does: whole pages hold something else than was written. */
import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'

const PAGE_BYTES = 4096
const JUNK = Buffer.alloc(PAGE_BYTES, 0xa5)
const SUFFIXES = ['', '-wal']

/** The first page that holds the text, beside the one with the description of the tables. */
export function damagePageOf(file: string, text: string): void {
  const at = readFileSync(file).indexOf(text, PAGE_BYTES)
  if (at === -1) throw new Error('no page holds the text')
  overwrite(file, Math.floor(at / PAGE_BYTES), 1)
}

/** All pages but the first, and those that wait in the write-ahead log. */
export function damageAllPages(file: string): void {
  for (const suffix of SUFFIXES) {
    if (existsSync(file + suffix)) overwrite(file + suffix, 1, Math.floor(statSync(file + suffix).size / PAGE_BYTES) - 1)
  }
}

function overwrite(file: string, page: number, count: number): void {
  const descriptor = openSync(file, 'r+')
  for (let i = page; i < page + count; i++) writeSync(descriptor, JUNK, 0, PAGE_BYTES, i * PAGE_BYTES)
  closeSync(descriptor)
}

/** Which nodes are likely to be one operator's: public IPv4 addresses that share their first three numbers (ON-62). */

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** The first three numbers of a public IPv4 address; undefined for other addresses and for names, which tell nothing. */
export function publicSubnet(host: string): string | undefined {
  const numbers = IPV4.exec(host)?.slice(1).map(Number)
  if (numbers === undefined || numbers.some(number => number > 255) || isReserved(numbers)) return undefined
  return numbers.slice(0, 3).join('.')
}

/** This host, private, shared by carriers, loopback, link-local, documentation and benchmarks, multicast and beyond. */
function isReserved([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    a >= 224 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) ||
    (a === 203 && b === 0 && c === 113)
  )
}

/** Requests that a node refuses to read: those that change many messages, revoke, choose, and those in bt. */

export type Fields = Readonly<Record<string, unknown>>

/** A request as it is sent, and the whole text of the refusal. */
export type RefusedText = readonly [name: string, clause: string, request: string, text: string, reason: string]

/** A request in JSON, and what follows `invalid request: `. */
export type RefusedJson = readonly [name: string, clause: string, method: string, params: Fields, why: string, reason: string]

/** The cases in JSON for an account of 66 hexadecimal digits. */
export function refusedChanges(account: string): RefusedJson[] {
  return [...lists(account), ...expiries(account), ...revocations(account), ...subaccounts(account), ...choices(account)]
}

function lists(account: string): RefusedJson[] {
  const time = 1_750_000_000_123
  const signed = { pubkey: account, signature: 'A'.repeat(86) }
  return [
    [
      'delete-no-hash',
      'RPC-16',
      'delete',
      { ...signed, messages: [] },
      'messages does not contain any message hashes',
      'the list is empty',
    ],
    [
      'delete-short-hash',
      'RPC-16',
      'delete',
      { ...signed, messages: ['A'] },
      'invalid message hash: expected base64',
      'a hash has 43 characters',
    ],
    ['delete-all-unsigned', 'RPC-90', 'delete_all', { pubkey: account, timestamp: time }, missing('signature'), 'always signed'],
    ['delete-all-no-time', 'RPC-90', 'delete_all', signed, missing('timestamp'), 'the signature would last for ever'],
    [
      'delete-all-in-seconds',
      'RPC-13',
      'delete_all',
      { ...signed, timestamp: 999_999_999 },
      "Invalid timestamp for 'timestamp': timestamp must be in milliseconds",
      'the greatest number that is taken for seconds',
    ],
    [
      'delete-all-namespace',
      'RPC-14',
      'delete_all',
      { ...signed, timestamp: time, namespace: -32769 },
      'value out of range',
      'less than 16 bits hold',
    ],
    ['delete-before-no-time', 'RPC-91', 'delete_before', signed, missing('before'), 'before what'],
    ['expire-all-no-time', 'RPC-92', 'expire_all', signed, missing('expiry'), 'until when'],
  ]
}

function expiries(account: string): RefusedJson[] {
  const [hash, time] = ['A'.repeat(43), 1_750_000_000_123]
  const signed = { pubkey: account, signature: 'A'.repeat(86) }
  const expire = { ...signed, messages: [hash, hash], expiry: time }
  return [
    ['expire-no-time', 'RPC-93', 'expire', { ...expire, expiry: undefined }, missing('expiry'), 'until when'],
    ['expire-unsigned', 'RPC-93', 'expire', { ...expire, signature: undefined }, missing('signature'), 'always signed'],
    [
      'expire-both-ways',
      'RPC-93',
      'expire',
      { ...expire, shorten: true, extend: true },
      "Cannot specify both 'shorten' and 'extend'",
      'lower and raise',
    ],
    [
      'expire-too-many-times',
      'RPC-93',
      'expire',
      { ...expire, expiry: [time, time, time] },
      "Invalid value given for 'expiry': expected one, or one for each of 'messages'",
      'three times for two messages',
    ],
    [
      'get-expiries-no-time',
      'RPC-95',
      'get_expiries',
      { ...signed, messages: hash },
      missing('timestamp'),
      'the signature would last for ever',
    ],
  ]
}

function revocations(account: string): RefusedJson[] {
  const time = 1_750_000_000_123
  const signed = { pubkey: account, signature: 'A'.repeat(86) }
  return [
    ['revoke-nothing', 'RPC-96', 'revoke_subaccount', { ...signed, timestamp: time }, missing('revoke'), 'revoke whom'],
    [
      'revoke-short',
      'RPC-96',
      'revoke_subaccount',
      { ...signed, timestamp: time, revoke: 'A'.repeat(44) },
      "Invalid value given for 'revoke': a subaccount has 36 bytes",
      '33 bytes',
    ],
    [
      'revoke-too-many',
      'RPC-96',
      'revoke_subaccount',
      { ...signed, timestamp: time, revoke: Array(51).fill('A'.repeat(48)) },
      "Invalid value given for 'revoke': at most 50 items",
      '51 tokens',
    ],
    [
      'unrevoke-nothing',
      'RPC-96',
      'unrevoke_subaccount',
      { ...signed, timestamp: time, revoke: 'A'.repeat(48) },
      missing('unrevoke'),
      'the field has the name of the other method',
    ],
    [
      'revoked-subaccounts-unsigned',
      'RPC-97',
      'revoked_subaccounts',
      { pubkey: account, timestamp: time },
      missing('signature'),
      'always signed',
    ],
  ]
}

function subaccounts(account: string): RefusedJson[] {
  const signed = { pubkey: account, timestamp: 1_750_000_000_123, signature: 'A'.repeat(86) }
  return [
    [
      'token-alone',
      'RPC-33',
      'retrieve',
      { ...signed, subaccount: 'A'.repeat(48) },
      "Required field 'subaccount_sig' missing",
      'a token that nobody signed',
    ],
    [
      'token-signature-alone',
      'RPC-33',
      'retrieve',
      { ...signed, subaccount_sig: 'A'.repeat(86) },
      "Required field 'subaccount' missing",
      'a signature of nothing',
    ],
    [
      'token-unsigned',
      'RPC-56',
      'retrieve',
      { pubkey: account, namespace: -21, subaccount: 'A'.repeat(48), subaccount_sig: 'A'.repeat(86) },
      "Required field 'signature' missing",
      'the namespace is open, but a token promises a signature',
    ],
  ]
}

function choices(account: string): RefusedJson[] {
  const get = { method: 'get_swarm', params: { pubkey: account } }
  const nested = (depth: number): Fields =>
    depth === 0 ? get : { method: 'ifelse', params: { if: { height_before: 1 }, else: nested(depth - 1) } }
  return [
    ['ifelse-no-if', 'RPC-98', 'ifelse', { else: get }, "Required field 'if' missing", 'there is no condition'],
    [
      'ifelse-empty-if',
      'RPC-98',
      'ifelse',
      { if: { x: 1 }, else: get },
      'Invalid ifelse request: at least one condition is required',
      'no condition that nodes know',
    ],
    [
      'ifelse-no-branch',
      'RPC-99',
      'ifelse',
      { if: { height_before: 1 } },
      "Invalid ifelse request: at least one of 'then' and 'else' is required",
      'nothing to do either way',
    ],
    [
      'ifelse-bad-branch',
      'RPC-99',
      'ifelse',
      { if: { height_before: 1 }, else: { method: 'get_swarm', params: {} } },
      "Required field 'pubkey' missing",
      'a branch that cannot be read refuses all',
    ],
    [
      'ifelse-too-deep',
      'RPC-10',
      'ifelse',
      nested(6).params as Fields,
      'Invalid ifelse request: nested more than 5 deep',
      'one in another, six times',
    ],
    [
      'ifelse-in-batch',
      'RPC-68',
      'batch',
      { requests: [nested(1)] },
      'Invalid batch subrequest: subrequests may not contain meta-requests',
      'a batch holds no requests of this kind',
    ],
  ]
}

/** Requests in bt; what is in them is text, so that they can be shown. */
export function refusedInBt(account: string): RefusedText[] {
  const bt = (method: string, params: string) => `d6:method${method.length}:${method}6:params${params}e`
  return [
    ['bt-no-method', 'RPC-04', 'd6:paramsdee', 'invalid json: no `method` field', 'there is no method'],
    ['bt-trailing', 'RPC-04', `${bt('info', 'de')}e`, 'invalid json', 'something stands behind it'],
    ['bt-unsorted', 'RPC-15', 'd6:paramsde6:method4:infoe', 'invalid json', 'keys do not ascend'],
    [
      'bt-no-account',
      'RPC-15',
      bt('get_swarm', 'd1:x1:ye'),
      "invalid request: Required field 'pubkey' missing",
      'a key that nobody knows is skipped',
    ],
    [
      'bt-boolean',
      'RPC-15',
      bt('delete', `d8:messages43:${'A'.repeat(43)}6:pubkey66:${account}8:requiredi2e9:signature64:${'s'.repeat(64)}e`),
      "invalid request: Invalid value given for 'required': expected boolean",
      'a boolean is 0 or 1',
    ],
    [
      'bt-text-for-integer',
      'RPC-15',
      bt('retrieve', `d9:namespace1:26:pubkey66:${account}e`),
      "invalid request: Invalid value given for 'namespace': expected integer",
      'digits are no integer',
    ],
  ]
}

function missing(name: string): string {
  return `Required field '${name}' missing`
}

import { decodeRequest, encodeRequest } from '@session-v2/network'
import { expect, it } from 'vitest'
import { readAtNode, requests } from './corpus.ts'

it.each(requests.map(request => [request.method, request] as const))(
  '%s is read as it is built, in JSON and bt',
  (_, request) => {
    const read = (['json', 'bt'] as const).map(form => readAtNode(decodeRequest(encodeRequest(request, form))))
    expect(read[0]).toEqual(read[1])
    expect(read[0]?.method).toBe(request.method)
  },
)

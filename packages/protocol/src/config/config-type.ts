/**
 * The types of configs: where each lies in the swarm and how its messages are told apart.
 *
 * Implements CFG-17.
 */

/** Configs of an account, and those of a group. `Local` is never sent. */
export type ConfigType = 'UserProfile' | 'Contacts' | 'ConvoInfoVolatile' | 'UserGroups' | 'Local' | 'GroupInfo' | 'GroupMembers'

export interface ConfigTypeFacts {
  /** Part of key and nonce. */
  readonly domain: string
  readonly namespace: number
  /** What the wrapped form calls it; configs that have none are not wrapped. */
  readonly wrappedKind?: number
}

export const CONFIG_TYPES: Readonly<Record<ConfigType, ConfigTypeFacts>> = {
  UserProfile: { domain: 'UserProfile', namespace: 2, wrappedKind: 1 },
  Contacts: { domain: 'Contacts', namespace: 3, wrappedKind: 2 },
  ConvoInfoVolatile: { domain: 'ConvoInfoVolatile', namespace: 4, wrappedKind: 3 },
  UserGroups: { domain: 'UserGroups', namespace: 5, wrappedKind: 4 },
  Local: { domain: 'Local', namespace: 9999 },
  GroupInfo: { domain: 'groups::Info', namespace: 13 },
  GroupMembers: { domain: 'groups::Members', namespace: 14 },
}

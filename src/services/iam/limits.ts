// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
export const limits = {
  rolesMax: 1000,
  instanceProfilesMax: 1000,
  attachmentsMax: 10,
  /** All inline policies of a role together, without white space. */
  inlinePolicyCharactersMax: 10_240,
  trustPolicyCharactersMax: 2048,
  tagsMax: 50,
  /** AWS: 2 for each user. Here all people and machines share the account, so each can have a key of their own. */
  accessKeysMax: 10,
  serverCertificatesMax: 20,
  pageEntriesMax: 1000,
  pageEntriesDefault: 100,
} as const

/** Texts of the page about one token and of the questions before a change, in English. */
export const tokenEn = {
  facts: 'About this token',
  starts: 'Starts with',
  owner: 'User',
  created: 'Created',
  createdBy: (who: string, from: string): string => `by ${who} from ${from}`,
  createdByWho: (who: string): string => `by ${who}`,
  used: 'Last used',
  ends: 'Ends',
  validFrom: 'Valid from',
  networks: 'Networks',
  anywhere: 'From anywhere',
  access: 'May reach',
  revokedAt: 'Revoked',
  revokedBy: (who: string): string => `by ${who}`,
  edit: 'Settings',
  more: 'Other changes',
  switchOn: 'Switch on',
  switchOff: 'Switch off',
  switchHint: 'Off, the token is refused but keeps its value and settings.',
  regenerate: 'New value',
  regenerateHint: 'The same token with another value. The old one stops working at once.',
  copy: 'Copy settings to a new token',
  copyHint: 'For a second device with the same rights.',
  revokeHint: 'For good. Apps that use it are signed out within seconds.',
  history: 'What happened',
  noHistory: 'Nothing has been recorded.',
  back: 'Tokens',
};

/** Texts of the questions before taking back or renewing, in English. */
export const questionEn = {
  revokeTitle: (name: string): string => `Revoke “${name}”?`,
  revokeText:
    'Apps and devices that use it stop working within seconds. This cannot be undone; your other tokens are not affected.',
  revokeOthersText: (owner: string): string =>
    `It belongs to ${owner}. Apps and devices that use it stop working within seconds. This cannot be undone.`,
  revokeYes: 'Revoke token',
  lastUse: 'Last used:',
  revokeSeveralTitle: (count: number): string =>
    count === 1 ? 'Revoke this token?' : `Revoke these ${count} tokens?`,
  revokeSeveralYes: (count: number): string => (count === 1 ? 'Revoke token' : `Revoke ${count} tokens`),
  revokeSeveralText: 'Apps and devices that use them stop working within seconds. This cannot be undone.',
  noneTitle: 'Nothing is selected',
  noneSelected: 'No token was selected. Tick the ones to revoke.',
  keep: 'Cancel',
  regenerateTitle: (name: string): string => `New value for “${name}”?`,
  regenerateText:
    'The old value stops working at once: every app that uses this token needs the new one. Name, access and limits stay.',
  regenerateEnded: 'This token has ended. With a new end it can be used again.',
  regenerateUnused:
    'This token has ended for want of use and cannot be renewed. Copy its settings to a new one.',
  regenerateYes: 'Make a new value',
};

/** What those are called who did something and are no people, in English. */
export const actorEn = {
  key: (name: string): string => `the admin key ${name}`,
  commandLine: (name: string): string => `${name} at the command line`,
  gateway: 'the gateway',
};

/** Texts that tell what has been done, in English. */
export const doneEn = {
  saved: 'Saved.',
  revoked: 'The token is revoked. It is refused everywhere within seconds.',
  'revoked-several': 'The tokens are revoked. They are refused everywhere within seconds.',
  'switched-on': 'The token is on.',
  'switched-off': 'The token is off.',
  'session-ended': 'That browser is signed out.',
  'sessions-ended': 'All other browsers are signed out.',
  'password-changed': 'Your password is changed. All other browsers are signed out.',
  'language-changed': 'The language is changed.',
  'user-saved': 'The user is saved.',
  'user-disabled': 'The user is shut out: tokens, sessions and password count no more.',
  'user-enabled': 'The user may come in again.',
  'user-removed': 'The user is removed, and all tokens with it.',
  'policy-saved': 'The policy is saved. It binds new tokens and changes from now on.',
  confirmed: 'Thank you, that was you.',
  'signed-out': 'You are signed out.',
};

import type { Refused } from '../../../management/refused.ts';
import type { SignInRefusal } from '../../../management/sign-in.ts';
import { adminEn, usersEn } from './en-admin.ts';
import { actorEn, doneEn, questionEn, tokenEn } from './en-changes.ts';
import { eventsEn } from './en-events.ts';
import { guidesEn } from './en-guides.ts';
import { accountEn, confirmEn, devicesEn, linkEn, signInEn } from './en-people.ts';
import { folderEn, onceEn, tokenFormEn, tokensEn } from './en-tokens.ts';

/** Texts that every page may need, in English. */
export const frameEn = {
  product: 'Latchkey',
  skip: 'Skip to the content',
  nav: 'Pages',
  adminNav: 'Administration',
  tokens: 'My tokens',
  devices: 'Devices & sessions',
  account: 'Account',
  users: 'Users',
  allTokens: 'All tokens',
  policy: 'Policy',
  audit: 'Audit log',
  signOut: 'Sign out',
  english: 'English',
  german: 'Deutsch',
  api: 'API',
  version: (version: string): string => `Latchkey ${version}`,
  problem: (count: number): string =>
    count === 1 ? 'One thing needs another look' : `${count} things need another look`,
  errorTitle: (title: string): string => `Error: ${title}`,
};

/** Texts of pages that say what went wrong, in English. */
export const errorsEn = {
  notFound: 'There is nothing here',
  notFoundText: 'The address is wrong, or what it showed is gone or belongs to somebody else.',
  notAllowed: 'This is not for you',
  notAllowedText: 'Your account does not reach that far. An administrator can change that.',
  forgery: 'This form has grown old',
  forgeryText:
    'It was not accepted because it may not come from these pages. Go back, load the page anew and send it again.',
  notUnderstood: 'That did not work',
  notUnderstoodText: 'The request could not be understood. Go back and try again.',
  tooLarge: 'That was too much',
  tooLargeText: 'The form holds more than can be taken in. Please shorten it.',
  fault: 'Something is broken on our side',
  faultText: 'Nothing has been changed as far as we know. Try again in a moment.',
  busy: 'Too much is going on',
  busyText: 'The gateway or something behind it cannot answer just now. Try again in a moment.',
  requestId: 'If you report this, mention',
  home: 'To my tokens',
  stale:
    'Somebody has changed this since you opened it. Here is how it stands now: please make your change again.',
};

/** The code of every refusal that a page tells. */
export type RefusalCode = (Refused | SignInRefusal)['code'];

/** What a no of the management means, by its code; in English its own sentence says it best. */
export function refusalEn(_code: RefusalCode, detail: string): string {
  return detail;
}

/** Every text of the pages in one language. */
export interface Texts {
  readonly frame: typeof frameEn;
  readonly errors: typeof errorsEn;
  readonly refusal: typeof refusalEn;
  readonly tokens: typeof tokensEn;
  readonly tokenForm: typeof tokenFormEn;
  readonly folder: typeof folderEn;
  readonly once: typeof onceEn;
  readonly guides: typeof guidesEn;
  readonly token: typeof tokenEn;
  readonly question: typeof questionEn;
  readonly actor: typeof actorEn;
  readonly done: typeof doneEn;
  /** By the names of events; those without words are shown as they are. */
  readonly events: Readonly<Record<string, string>>;
  readonly signIn: typeof signInEn;
  readonly link: typeof linkEn;
  readonly confirm: typeof confirmEn;
  readonly devices: typeof devicesEn;
  readonly account: typeof accountEn;
  readonly users: typeof usersEn;
  readonly admin: typeof adminEn;
}

/** All texts of the pages in English. */
export const en: Texts = {
  frame: frameEn,
  errors: errorsEn,
  refusal: refusalEn,
  tokens: tokensEn,
  tokenForm: tokenFormEn,
  folder: folderEn,
  once: onceEn,
  guides: guidesEn,
  token: tokenEn,
  question: questionEn,
  actor: actorEn,
  done: doneEn,
  events: eventsEn,
  signIn: signInEn,
  link: linkEn,
  confirm: confirmEn,
  devices: devicesEn,
  account: accountEn,
  users: usersEn,
  admin: adminEn,
};

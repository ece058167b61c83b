import { adminDe, usersDe } from './de-admin.ts';
import { actorDe, doneDe, questionDe, tokenDe } from './de-changes.ts';
import { eventsDe } from './de-events.ts';
import { guidesDe } from './de-guides.ts';
import { accountDe, confirmDe, devicesDe, linkDe, signInDe } from './de-people.ts';
import { folderDe, onceDe, tokenFormDe, tokensDe } from './de-tokens.ts';
import type { RefusalCode, Texts } from './en.ts';

const frameDe: Texts['frame'] = {
  product: 'Latchkey',
  skip: 'Zum Inhalt',
  nav: 'Seiten',
  adminNav: 'Administration',
  tokens: 'Meine Tokens',
  devices: 'Geräte & Sitzungen',
  account: 'Konto',
  users: 'Konten',
  allTokens: 'Alle Tokens',
  policy: 'Richtlinie',
  audit: 'Protokoll',
  signOut: 'Abmelden',
  english: 'English',
  german: 'Deutsch',
  api: 'API',
  version: (version: string): string => `Latchkey ${version}`,
  problem: (count: number): string =>
    count === 1 ? 'Eine Angabe braucht noch einen Blick' : `${count} Angaben brauchen noch einen Blick`,
  errorTitle: (title: string): string => `Fehler: ${title}`,
};

const errorsDe: Texts['errors'] = {
  notFound: 'Hier ist nichts',
  notFoundText:
    'Die Adresse stimmt nicht, oder was sie zeigte, ist nicht mehr da oder gehört jemand anderem.',
  notAllowed: 'Das ist nicht für Sie',
  notAllowedText: 'So weit reicht Ihr Konto nicht. Die Administration kann das ändern.',
  forgery: 'Dieses Formular ist zu alt',
  forgeryText:
    'Es wurde nicht angenommen, weil es vielleicht nicht von diesen Seiten kommt. Gehen Sie zurück, laden Sie die Seite neu und senden Sie es noch einmal.',
  notUnderstood: 'Das hat nicht geklappt',
  notUnderstoodText: 'Die Anfrage war nicht zu verstehen. Gehen Sie zurück und versuchen Sie es noch einmal.',
  tooLarge: 'Das war zu viel',
  tooLargeText: 'Das Formular enthält mehr, als angenommen wird. Bitte kürzen Sie es.',
  fault: 'Bei uns ist etwas kaputt',
  faultText: 'Soweit bekannt, wurde nichts geändert. Versuchen Sie es gleich noch einmal.',
  busy: 'Es ist zu viel los',
  busyText:
    'Das Gateway oder etwas dahinter kann gerade nicht antworten. Versuchen Sie es gleich noch einmal.',
  requestId: 'Wenn Sie das melden, nennen Sie',
  home: 'Zu meinen Tokens',
  stale:
    'Jemand hat das geändert, seit Sie es geöffnet haben. So steht es jetzt: Bitte machen Sie Ihre Änderung noch einmal.',
};

const refusalsDe: Readonly<Record<RefusalCode, string>> = {
  confirmation_needed: 'Bitte bestätigen Sie zuerst, dass Sie es sind.',
  not_allowed: 'So weit reicht Ihr Konto nicht.',
  not_found: 'Das gibt es nicht, oder es gehört jemand anderem.',
  stale: 'Das wurde inzwischen von jemand anderem geändert.',
  bad_request: 'Diese Angaben sind nicht verständlich.',
  conflict: 'Das widerspricht dem, was schon da ist, zum Beispiel der letzten Administration.',
  bad_name: 'Dieser Name geht nicht: höchstens 120 druckbare Zeichen, und niemals der Wert eines Tokens.',
  bad_display_name: 'Dieser Anzeigename geht nicht: höchstens 120 druckbare Zeichen.',
  bad_email: 'Das ist keine E-Mail-Adresse.',
  policy: 'Die Regeln für Tokens lassen das nicht zu.',
  wrong_password: 'Das aktuelle Passwort ist ein anderes: Bitte versuchen Sie es noch einmal.',
  throttled: 'Zu viele falsche Passwörter: Bitte warten Sie etwas, bevor Sie es wieder versuchen.',
  elsewhere: 'Das entscheidet die Quelle dieses Kontos: Bitte ändern Sie es dort.',
  last_admin: 'Das geht nicht: Sonst könnte niemand mehr verwalten.',
  bad_scope: 'Dieser Zugriff ist nicht verständlich.',
  bad_expiry: 'Dieses Ende geht nicht: Es muss in der Zukunft liegen und innerhalb des Erlaubten.',
  bad_not_before: 'Dieser Beginn geht nicht: Er muss vor dem Ende liegen.',
  bad_network: 'Eines der Netze ist keine Adresse und kein Block, wie 192.0.2.0/24 einer ist.',
  bad_delete_unused: 'Diese Frist geht nicht: mindestens eine Stunde.',
  no_token: 'Dieses Token gibt es nicht.',
  revoked: 'Dieses Token ist widerrufen.',
  expired: 'Dieses Token ist abgelaufen: Es braucht ein neues Ende.',
  owner_gone: 'Das Konto zu diesem Token gibt es nicht mehr.',
  bad_password: 'Dieses Passwort geht nicht: 8 bis 1024 Zeichen, ohne Zeilenumbrüche.',
  name_taken: 'Diesen Namen hat schon jemand.',
  no_user: 'Dieses Konto gibt es nicht.',
  sign_in_refused: 'Name oder Passwort stimmen nicht.',
  link_used: 'Dieser Link gilt nicht mehr.',
};

function refusalDe(code: RefusalCode, _detail: string): string {
  return refusalsDe[code];
}

/** All texts of the pages in German. */
export const de: Texts = {
  frame: frameDe,
  errors: errorsDe,
  refusal: refusalDe,
  tokens: tokensDe,
  tokenForm: tokenFormDe,
  folder: folderDe,
  once: onceDe,
  guides: guidesDe,
  token: tokenDe,
  question: questionDe,
  actor: actorDe,
  done: doneDe,
  events: eventsDe,
  signIn: signInDe,
  link: linkDe,
  confirm: confirmDe,
  devices: devicesDe,
  account: accountDe,
  users: usersDe,
  admin: adminDe,
};

import type { Texts } from './en.ts';

/** Texts of the page about one token, in German. */
export const tokenDe: Texts['token'] = {
  facts: 'Über dieses Token',
  starts: 'Beginnt mit',
  owner: 'Konto',
  created: 'Erstellt',
  createdBy: (who: string, from: string): string => `durch ${who} von ${from}`,
  createdByWho: (who: string): string => `durch ${who}`,
  used: 'Zuletzt verwendet',
  ends: 'Endet',
  validFrom: 'Gültig ab',
  networks: 'Netze',
  anywhere: 'Von überall',
  access: 'Darf erreichen',
  revokedAt: 'Widerrufen',
  revokedBy: (who: string): string => `durch ${who}`,
  edit: 'Einstellungen',
  more: 'Weitere Änderungen',
  switchOn: 'Einschalten',
  switchOff: 'Ausschalten',
  switchHint: 'Ausgeschaltet wird das Token abgewiesen, behält aber Wert und Einstellungen.',
  regenerate: 'Neuer Wert',
  regenerateHint: 'Dasselbe Token mit einem anderen Wert. Der alte gilt sofort nicht mehr.',
  copy: 'Einstellungen in ein neues Token kopieren',
  copyHint: 'Für ein zweites Gerät mit denselben Rechten.',
  revokeHint: 'Für immer. Apps, die es verwenden, werden innerhalb von Sekunden abgemeldet.',
  history: 'Was geschehen ist',
  noHistory: 'Es ist nichts verzeichnet.',
  back: 'Tokens',
};

/** Texts of the questions before taking back or renewing, in German. */
export const questionDe: Texts['question'] = {
  revokeTitle: (name: string): string => `„${name}“ widerrufen?`,
  revokeText:
    'Apps und Geräte, die es verwenden, werden innerhalb von Sekunden abgewiesen. Das lässt sich nicht rückgängig machen; Ihre anderen Tokens sind nicht betroffen.',
  revokeOthersText: (owner: string): string =>
    `Es gehört ${owner}. Apps und Geräte, die es verwenden, werden innerhalb von Sekunden abgewiesen. Das lässt sich nicht rückgängig machen.`,
  revokeYes: 'Token widerrufen',
  lastUse: 'Zuletzt verwendet:',
  revokeSeveralTitle: (count: number): string =>
    count === 1 ? 'Dieses Token widerrufen?' : `Diese ${count} Tokens widerrufen?`,
  revokeSeveralYes: (count: number): string =>
    count === 1 ? 'Token widerrufen' : `${count} Tokens widerrufen`,
  revokeSeveralText:
    'Apps und Geräte, die sie verwenden, werden innerhalb von Sekunden abgewiesen. Das lässt sich nicht rückgängig machen.',
  noneTitle: 'Nichts ist ausgewählt',
  noneSelected: 'Es war kein Token ausgewählt. Setzen Sie bei denen einen Haken, die Sie widerrufen wollen.',
  keep: 'Abbrechen',
  regenerateTitle: (name: string): string => `Neuer Wert für „${name}“?`,
  regenerateText:
    'Der alte Wert gilt sofort nicht mehr: Jede App, die dieses Token verwendet, braucht den neuen. Name, Zugriff und Grenzen bleiben.',
  regenerateEnded: 'Dieses Token ist abgelaufen. Mit einem neuen Ende lässt es sich wieder verwenden.',
  regenerateUnused:
    'Dieses Token ist abgelaufen, weil es nicht verwendet wurde, und lässt sich nicht erneuern. Kopieren Sie seine Einstellungen in ein neues.',
  regenerateYes: 'Neuen Wert erzeugen',
};

/** What those are called who did something and are no people, in German. */
export const actorDe: Texts['actor'] = {
  key: (name: string): string => `den Admin-Schlüssel ${name}`,
  commandLine: (name: string): string => `${name} an der Befehlszeile`,
  gateway: 'das Gateway',
};

/** Texts that tell what has been done, in German. */
export const doneDe: Texts['done'] = {
  saved: 'Gespeichert.',
  revoked: 'Das Token ist widerrufen. Es wird innerhalb von Sekunden überall abgewiesen.',
  'revoked-several': 'Die Tokens sind widerrufen. Sie werden innerhalb von Sekunden überall abgewiesen.',
  'switched-on': 'Das Token ist eingeschaltet.',
  'switched-off': 'Das Token ist ausgeschaltet.',
  'session-ended': 'Dieser Browser ist abgemeldet.',
  'sessions-ended': 'Alle anderen Browser sind abgemeldet.',
  'password-changed': 'Ihr Passwort ist geändert. Alle anderen Browser sind abgemeldet.',
  'language-changed': 'Die Sprache ist geändert.',
  'user-saved': 'Das Konto ist gespeichert.',
  'user-disabled': 'Das Konto ist gesperrt: Tokens, Sitzungen und Passwort gelten nicht mehr.',
  'user-enabled': 'Das Konto ist wieder freigegeben.',
  'user-removed': 'Das Konto ist entfernt, mit allen seinen Tokens.',
  'policy-saved': 'Die Richtlinie ist gespeichert. Sie gilt ab jetzt für neue Tokens und Änderungen.',
  confirmed: 'Danke, das waren Sie.',
  'signed-out': 'Sie sind abgemeldet.',
};

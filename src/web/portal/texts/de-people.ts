import type { Texts } from './en.ts';

/** Texts of signing in, in German. */
export const signInDe: Texts['signIn'] = {
  title: 'Anmelden',
  userName: 'Benutzername',
  password: 'Passwort',
  button: 'Anmelden',
  with: (label: string): string => `Anmelden mit ${label}`,
  or: 'oder',
  refused: 'Benutzername und Passwort passen nicht zusammen, oder dieses Konto darf sich nicht anmelden.',
  providerRefused:
    'Die Anmeldung wurde nicht abgeschlossen. Versuchen Sie es noch einmal, oder fragen Sie in der Administration nach.',
  throttled: (wait: string): string => `Zu viele Versuche. Der nächste ist möglich in: ${wait}.`,
  unavailable: 'Anmelden ist gerade nicht möglich. Versuchen Sie es gleich noch einmal.',
  noWays: 'Es ist kein Weg zum Anmelden eingerichtet. Mehr steht im Protokoll des Gateways.',
  expired: 'Melden Sie sich an, um fortzufahren.',
};

/** Texts of the first start and of choosing a password, in German. */
export const linkDe: Texts['link'] = {
  welcomeTitle: 'Willkommen bei Latchkey',
  welcomeLead:
    'Dieses Gateway verwaltet noch niemand. Wählen Sie Benutzernamen und Passwort, dann sind Sie es.',
  welcomeButton: 'Administrationskonto erstellen',
  passwordTitle: 'Passwort wählen',
  passwordLead: (name: string): string => `Für das Konto ${name}. Danach sind Sie angemeldet.`,
  passwordButton: 'Speichern und anmelden',
  userName: 'Benutzername',
  userNameHint: 'Zum Beispiel Ihr Vorname in Kleinbuchstaben. Apps verwenden ihn zusammen mit einem Token.',
  password: 'Neues Passwort',
  passwordHint: 'Mindestens 8 Zeichen. Einige Wörter hintereinander merken sich leicht.',
  again: 'Dasselbe noch einmal',
  short: 'Wählen Sie ein Passwort mit mindestens 8 Zeichen.',
  differ: 'Die beiden Passwörter unterscheiden sich.',
  usedTitle: 'Dieser Link gilt nicht mehr',
  used: 'Jeder Link gilt einmal und einen Tag lang. Bitten Sie die Administration um einen neuen.',
  usedWelcome: 'Wo das Gateway noch niemand verwaltet, gibt sein nächster Start einen neuen Link aus.',
};

/** Texts of proving to be there, in German. */
export const confirmDe: Texts['confirm'] = {
  title: 'Sind Sie es?',
  lead: 'Bevor sich etwas ändert, bestätigen Sie bitte. Das gilt für fünf Minuten.',
  password: 'Ihr Passwort',
  button: 'Bestätigen und fortfahren',
  wrong: 'Das ist nicht Ihr Passwort.',
  provider: 'Sie werden gebeten, sich noch einmal anzumelden, und kommen hierher zurück.',
  providerButton: (label: string): string => `Bestätigen mit ${label}`,
  resumeTitle: 'Danke, das waren Sie',
  resumeLead: 'Es fehlt noch ein Schritt.',
  resumeButton: 'Fortfahren',
  tooLong: 'Das Formular ist zu lang, um es während der Bestätigung aufzuheben. Bitte kürzen Sie es.',
};

/** Texts of devices and sessions, in German. */
export const devicesDe: Texts['devices'] = {
  title: 'Geräte & Sitzungen',
  lead: 'Alles, was unter Ihrem Konto verbunden ist. Eines zu trennen lässt die anderen in Ruhe.',
  apps: 'Apps und Geräte',
  appsLead: 'Tokens, die verwendet wurden, das jüngste zuerst.',
  noApps: 'Noch hat sich keine App mit einem Token verbunden.',
  unknownApp: 'Unbekannte App',
  withToken: (name: string): string => `mit dem Token „${name}“`,
  disconnect: 'Trennen',
  disconnectNamed: (name: string): string => `Trennen: ${name}`,
  browsers: 'Browser',
  browsersLead: 'Wo Sie bei diesen Seiten angemeldet sind.',
  unknownBrowser: 'Unbekannter Browser',
  current: 'Dieser Browser',
  signedInAt: 'angemeldet',
  seen: 'zuletzt gesehen',
  end: 'Abmelden',
  endNamed: (name: string): string => `Abmelden: ${name}`,
  endAll: 'Überall sonst abmelden',
  endAllToo: 'Überall abmelden, auch hier',
  on: (browser: string, system: string): string => `${browser} auf ${system}`,
  onlyThis: 'Sie sind nirgends sonst angemeldet.',
};

/** Texts of the account page, in German. */
export const accountDe: Texts['account'] = {
  title: 'Konto',
  you: 'Sie',
  userName: 'Benutzername',
  userNameHint: 'Ihn brauchen Apps zusammen mit einem Token.',
  displayName: 'Name',
  email: 'Mailadresse',
  source: 'Anmeldung über',
  local: 'ein Passwort, das hier liegt',
  role: 'Rolle',
  changePassword: 'Passwort ändern',
  current: 'Bisheriges Passwort',
  next: 'Neues Passwort',
  again: 'Das neue noch einmal',
  save: 'Passwort ändern',
  elsewhere: (source: string): string => `Ihr Passwort liegt bei „${source}“ und wird dort geändert.`,
  noPassword:
    'Dieses Konto hat hier kein Passwort. Die Administration kann Ihnen einen Link schicken, um eines zu wählen.',
  wrongCurrent: 'Das ist nicht Ihr bisheriges Passwort.',
  language: 'Sprache',
  saveLanguage: 'Diese Sprache verwenden',
  sessions: 'Überall abmelden',
  sessionsLead: 'Beendet alle Ihre Browser-Sitzungen. Tokens gelten weiter.',
};

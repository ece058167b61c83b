import type { Texts } from './en.ts';

/** How to connect with each client, in German. */
export const guidesDe: Texts['guides'] = {
  finder: {
    title: 'macOS Finder',
    steps: [
      'Wählen Sie im Finder Gehe zu › Mit Server verbinden (⌘K).',
      'Fügen Sie die Serveradresse ein und wählen Sie Verbinden.',
      'Wählen Sie Registrierter Benutzer und geben Sie den Benutzernamen ein, als Passwort das Token.',
      'Setzen Sie den Haken bei „Passwort im Schlüsselbund sichern“.',
    ],
    note: 'Wo der Server keine Sperren kennt, bindet der Finder nur zum Lesen ein.',
  },
  windows: {
    title: 'Windows',
    steps: [
      'Öffnen Sie im Explorer Dieser PC und wählen Sie Netzlaufwerk verbinden.',
      'Fügen Sie die Serveradresse als Ordner ein und setzen Sie den Haken bei „Verbindung mit anderen Anmeldeinformationen herstellen“.',
      'Geben Sie den Benutzernamen ein, als Kennwort das Token.',
    ],
    command: 'Oder in einer Eingabeaufforderung:',
    note: 'Windows verlangt dafür HTTPS. Nach dem Abmelden fragt es erneut nach dem Token. Auf Windows Server installieren Sie zuerst das Feature „WebDAV-Redirector“.',
    needsHttps:
      'Dieses Gateway wird gerade über einfaches HTTP erreicht: Dorthin sendet Windows kein Kennwort.',
  },
  gnome: {
    title: 'GNOME Dateien',
    steps: [
      'Wählen Sie in Dateien Andere Orte und geben Sie unter Mit Server verbinden diese Adresse ein:',
      'Geben Sie als Passwort das Token ein und lassen Sie es merken.',
    ],
    open: 'In Dateien öffnen',
  },
  rclone: {
    title: 'rclone',
    command: 'Ein Befehl richtet es ein:',
    note: 'Lassen Sie --obscure stehen: Ohne das hält rclone das Token womöglich für ein verschleiertes Passwort und scheitert. Versuchen Sie danach: rclone lsd latchkey:',
  },
  davfs2: {
    title: 'davfs2',
    secrets: 'Diese Zeile kommt in ~/.davfs2/secrets, das nur Sie lesen dürfen (chmod 600):',
    mount: 'Dann einhängen:',
    note: 'Wo der Server keine Sperren kennt, setzen Sie use_locks 0 in davfs2.conf.',
  },
  curl: {
    title: 'curl und Skripte',
    command: 'Ein erster Versuch, der den Ordner auflistet:',
    bearer: 'Oder mit dem Token allein, als Bearer-Token:',
  },
  davx5: {
    title: 'DAVx⁵ (Android)',
    steps: [
      'Fügen Sie ein Konto hinzu und wählen Sie „Mit URL und Benutzername anmelden“.',
      'Geben Sie die Serveradresse als Basis-URL ein, dazu den Benutzernamen, als Passwort das Token.',
      'Für Dateien wählen Sie Werkzeuge › WebDAV-Einbindungen › Einbindung hinzufügen und geben dasselbe ein.',
    ],
    note: 'Dabei wird in Stücken unbekannter Länge hochgeladen: Manche Server lehnen das ab.',
  },
  nextcloud: {
    title: 'Nextcloud-Apps',
    steps: [
      'Nur wenn der Server hinter dieser Adresse eine Nextcloud ist.',
      'Öffnen Sie auf dem Telefon diesen Link, oder geben Sie Adresse, Benutzernamen und Token bei der Anmeldung ein:',
    ],
    open: 'In der Nextcloud-App öffnen',
  },
  other: {
    title: 'Jede andere App',
    steps: [
      'Suchen Sie nach WebDAV, CalDAV oder CardDAV, oder nach „Serveradresse“.',
      'Geben Sie die Serveradresse und den Benutzernamen ein, als Passwort das Token.',
    ],
  },
};

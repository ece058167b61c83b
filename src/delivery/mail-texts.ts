import { printable } from '../core/printable.ts';
import { sitePath } from '../core/site-path.ts';
import type { Language } from '../identity/user-store.ts';
import type { DueWarning } from '../tokens/warning-store.ts';

/** A plain mail. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
}

/** The mail that warns of this end, in the owner's language (English where unknown). `portalUrl` null: no link. */
export function warningMail(warning: DueWarning, portalUrl: string | null): MailText {
  const { token, owner } = warning.owned;
  const language = warning.owner.language ?? 'en';
  const facts: Facts = {
    greeted: printable(warning.owner.displayName ?? owner.name),
    name: printable(token.name),
    prefix: token.prefix,
    days: warning.days,
    end: moment(token.expiresAt ?? 0, language),
    lastUsed: token.lastUsedAt === null ? null : moment(token.lastUsedAt, language),
    client: token.lastUsedClient === null ? null : printable(token.lastUsedClient),
    slides: token.slidingMs !== null && token.expiresAt !== token.until,
    place: portalUrl === null ? null : `${portalUrl}${sitePath}/tokens/${token.id}`,
  };
  return texts[language](facts);
}

interface Facts {
  readonly greeted: string;
  readonly name: string;
  readonly prefix: string;
  readonly days: number;
  readonly end: string;
  readonly lastUsed: string | null;
  readonly client: string | null;
  /** Whether a use would move the end. */
  readonly slides: boolean;
  readonly place: string | null;
}

const texts: Readonly<Record<Language, (facts: Facts) => MailText>> = { en: english, de: german };

function english({ greeted, name, prefix, days, end, lastUsed, client, slides, place }: Facts): MailText {
  const when = days === 1 ? 'within a day' : `within ${days} days`;
  const by = client === null ? '' : ` by ${client}`;
  return {
    subject: `Your app token “${name}” ends ${when}`,
    text: lines(
      `Hello ${greeted},`,
      '',
      `your app token “${name}” (${prefix}…) ends ${when}: on ${end}.`,
      'Whatever connects with it will be refused from then on.',
      lastUsed === null ? 'It has never been used.' : `It was last used on ${lastUsed}${by}.`,
      '',
      slides ? 'If it is used before, it goes on by itself.' : null,
      place === null
        ? 'To go on, sign in where you made it and give it a later end or make a new one.'
        : 'To go on, give it a later end or make a new one:',
      place,
      'If you no longer need it, there is nothing to do.',
    ),
  };
}

function german({ greeted, name, prefix, days, end, lastUsed, client, slides, place }: Facts): MailText {
  const when = days === 1 ? 'innerhalb eines Tages' : `innerhalb von ${days} Tagen`;
  const by = client === null ? '' : ` von ${client}`;
  return {
    subject: `Ihr App-Token „${name}“ läuft ${when} ab`,
    text: lines(
      `Guten Tag, ${greeted},`,
      '',
      `Ihr App-Token „${name}“ (${prefix}…) läuft ${when} ab: am ${end}.`,
      'Was sich damit verbindet, wird von da an abgewiesen.',
      lastUsed === null ? 'Es wurde nie benutzt.' : `Zuletzt benutzt wurde es am ${lastUsed}${by}.`,
      '',
      slides ? 'Wird es vorher benutzt, verlängert es sich von selbst.' : null,
      place === null
        ? 'Soll es weitergehen, melden Sie sich dort an, wo Sie es erstellt haben, und geben Sie ihm ein späteres Ende ' +
            'oder erstellen Sie ein neues.'
        : 'Soll es weitergehen, geben Sie ihm ein späteres Ende oder erstellen Sie ein neues:',
      place,
      'Wird es nicht mehr gebraucht, ist nichts zu tun.',
    ),
  };
}

function lines(...parts: readonly (string | null)[]): string {
  return `${parts.filter((part) => part !== null).join('\n')}\n`;
}

/** In UTC, which is said: nobody knows where the reader is. */
function moment(at: number, language: Language): string {
  const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'de', {
    ...{ dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' },
  });
  return `${format.format(at)} UTC`;
}

import type { Language } from '../../identity/user-store.ts';
import type { Person } from '../../management/caller.ts';
import type { WebContext } from '../context.ts';
import { createMoments, type Moments } from './moments.ts';
import { de } from './texts/de.ts';
import { en, type Texts } from './texts/en.ts';

/** What every page is drawn with. */
export interface Frame {
  readonly texts: Texts;
  readonly language: Language;
  readonly moments: Moments;
  readonly person: Person | null;
  /** What forms carry in the field `csrf`. */
  readonly csrf: string;
  /** The folder of style sheets and scripts. */
  readonly assets: string;
  /** As the browser sees us, without a slash at its end. */
  readonly origin: string;
  readonly requestId: string;
  readonly now: number;
  readonly productVersion: string;
  /** Path and query of this page; null where it is the answer to a form, which has none. */
  readonly address: string | null;
  /** What was just done, told at the top of the page; null where nothing. */
  readonly done: string | null;
}

/** Makes the frame of each request. */
export type Framing = (c: WebContext) => Frame;

/** What the frame of a request takes from elsewhere. */
export interface FramingDeps {
  readonly clock: { now(): number };
  readonly assets: string;
  readonly productVersion: string;
}

const textsOf: Readonly<Record<Language, Texts>> = { en, de };

/** Makes frames. The formats of each language are prepared once. */
export function createFraming({ clock, assets, productVersion }: FramingDeps): Framing {
  const momentsOf: Readonly<Record<Language, Moments>> = {
    en: createMoments('en'),
    de: createMoments('de'),
  };
  return (c) => {
    const { language, origin, requestId } = c.get('visit');
    const { pathname, search, searchParams } = new URL(c.req.url);
    const texts = textsOf[language];
    return {
      ...{ texts, language, origin, requestId, assets, productVersion },
      moments: momentsOf[language],
      person: c.get('person'),
      csrf: c.get('csrf'),
      now: clock.now(),
      address: c.req.method === 'GET' ? pathname + search : null,
      done: doneText(texts, searchParams.get('done')),
    };
  };
}

/** Only texts of the catalogue: what stands in an address is never shown. */
function doneText(texts: Texts, code: string | null): string | null {
  if (code === null || !Object.hasOwn(texts.done, code)) return null;
  return texts.done[code as keyof Texts['done']];
}

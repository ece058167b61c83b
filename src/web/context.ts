import type { Context, Hono } from 'hono';
import type { Person } from '../management/caller.ts';
import type { BrowserSide } from '../management/sign-in.ts';

/** What the listener knows of a request, its head read strictly. */
export interface WireVisit {
  /** The client's own address. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** The authority by which the client addressed us, lower case. */
  readonly host: string;
  readonly userAgent: string | null;
  readonly requestId: string;
  /** Who it turned out to be, for the access line. */
  userName: string | null;
}

/** One request as pages and API see it. */
export interface Visit extends BrowserSide {
  /** Ours as the browser sees it, without a slash at its end: `https://cloud.example`. */
  readonly origin: string;
  /** The browser reached us by https, or on its own machine: secure cookies work. */
  readonly isSecure: boolean;
  readonly requestId: string;
}

/** What every handler finds in its context. */
export interface WebEnv {
  readonly Variables: {
    readonly visit: Visit;
    /** Null where nobody is signed in, and at the API always where the request brings its own Authorization. */
    readonly person: Person | null;
    /** What forms of this visitor carry in the field `csrf`, and scripts in the header `X-CSRF-Token`. */
    readonly csrf: string;
  };
}

/** A part of the site. */
export type WebRouter = Hono<WebEnv>;

/** The context that handlers are given. */
export type WebContext = Context<WebEnv>;

import assert from 'node:assert/strict';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { findProgram } from './requirement.ts';
import { makeScratch } from './scratch.ts';

/** How somebody comes to the pages. */
export interface VisitOptions {
  /** Origin of the gateway, without a slash at its end. */
  readonly url: string;
  /** Default true. */
  readonly scripts?: boolean;
  /** 360 × 740, touch. Default: 1280 × 800. */
  readonly phone?: boolean;
  readonly dark?: boolean;
  /** Default en. */
  readonly language?: 'en' | 'de';
  /** Lets the test bring a script of its own (axe) into the pages. Default false. */
  readonly withoutPolicy?: boolean;
  /** Origins that a flow may go to beside the gateway's: a provider's. */
  readonly alsoTo?: readonly string[];
  /** Default: Chromium's own. */
  readonly userAgent?: string;
  /** Screen pixels for each of CSS. Default 1. */
  readonly scale?: number;
}

/** One person's browser: cookies of its own, one page. */
export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Goes to an address below the gateway. */
  go(path: string): Promise<void>;
  /** Ends it; asserts that nothing was refused by the content security policy, failed in a script or went elsewhere. */
  leave(): Promise<void>;
}

/** One Chromium for all tests of a file. */
export interface Chromium {
  visit(options: VisitOptions): Promise<Visitor>;
  stop(): Promise<void>;
}

/** A name that is not this machine's to a browser, so that plain HTTP to it is no secure context. */
export const plainHost = 'gateway.example';

/**
 * Starts Debian's Chromium without a window, in a folder of its own. It finds nothing but this machine, whatever it
 * would like to look up by itself; `ports` are those where it finds the hosts named.
 */
export async function startChromium(ports: Readonly<Record<string, number>> = {}): Promise<Chromium> {
  const executablePath = findProgram('chromium');
  if (executablePath === null) throw new Error('chromium is not installed');
  const scratch = await makeScratch('chromium');
  const isRoot = process.getuid?.() === 0;
  const rules = [
    ...Object.entries(ports).map(([host, port]) => `MAP ${host} 127.0.0.1:${port}`),
    ...[`MAP ${plainHost} 127.0.0.1`, 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1', 'EXCLUDE localhost'],
  ];
  const browser = await chromium.launch({
    executablePath,
    args: [
      ...(isRoot ? ['--no-sandbox'] : []),
      '--disable-background-networking',
      '--disable-gpu',
      '--no-first-run',
      '--no-default-browser-check',
      `--host-resolver-rules=${rules.join(', ')}`,
    ],
    env: { ...process.env, HOME: scratch.path, XDG_CONFIG_HOME: scratch.path, XDG_CACHE_HOME: scratch.path },
  });
  return {
    visit: (options) => openVisit(browser, options),
    async stop() {
      await browser.close();
      await scratch.remove();
    },
  };
}

async function openVisit(browser: Browser, options: VisitOptions): Promise<Visitor> {
  const context = await browser.newContext(contextOptions(options));
  context.setDefaultTimeout(30_000);
  const complaints = watch(context, [options.url, ...(options.alsoTo ?? [])]);
  const page = await context.newPage();
  return {
    page,
    context,
    async go(path) {
      // Scripts have run by then.
      await page.goto(options.url + path, { waitUntil: 'domcontentloaded' });
    },
    async leave() {
      await context.close();
      assert.deepEqual(complaints, []);
    },
  };
}

function contextOptions(options: VisitOptions): BrowserContextOptions {
  const { scripts = true, phone = false, dark = false, language = 'en' } = options;
  const { withoutPolicy = false, scale = 1, userAgent } = options;
  return {
    javaScriptEnabled: scripts,
    viewport: phone ? { width: 360, height: 740 } : { width: 1280, height: 800 },
    hasTouch: phone,
    isMobile: phone,
    colorScheme: dark ? 'dark' : 'light',
    locale: language === 'de' ? 'de-DE' : 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    bypassCSP: withoutPolicy,
    deviceScaleFactor: scale,
    acceptDownloads: true,
    ignoreHTTPSErrors: true,
    ...(userAgent === undefined ? {} : { userAgent }),
    permissions: ['clipboard-read', 'clipboard-write'],
  };
}

/** Gathers what a page must never make a browser do or say. */
function watch(context: BrowserContext, origins: readonly string[]): readonly string[] {
  const complaints: string[] = [];
  context.on('request', (request) => {
    const { origin, protocol, href } = new URL(request.url());
    if (protocol !== 'data:' && !origins.includes(origin)) complaints.push(`asked for ${href}`);
  });
  context.on('weberror', (error) => complaints.push(`a script failed: ${error.error().message}`));
  context.on('console', (message) => {
    const isPolicy = /Content Security Policy|Trusted ?(?:Type|HTML|Script)|Refused to/i.test(message.text());
    if (isPolicy) complaints.push(`the console says: ${message.text()}`);
  });
  return complaints;
}

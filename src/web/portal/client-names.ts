/** Programs by a telling part of their User-Agent, the more telling first. */
const programs: readonly (readonly [RegExp, string])[] = [
  [/^rclone\//i, 'rclone'],
  [/^davfs2\//i, 'davfs2'],
  [/^curl\//i, 'curl'],
  [/^WebDAVFS\/|^WebDAVLib\//, 'macOS Finder'],
  [/Microsoft-WebDAV-MiniRedir|DavClnt/i, 'Windows'],
  [/^gvfs\//i, 'GNOME'],
  [/\bDAVx5\b/i, 'DAVx⁵'],
  [/Nextcloud-android/i, 'Nextcloud (Android)'],
  [/Nextcloud-iOS|Nextcloud\/iOS/i, 'Nextcloud (iOS)'],
  [/mirall\//i, 'Nextcloud desktop'],
  [/^cadaver\//i, 'cadaver'],
  [/Cyberduck/i, 'Cyberduck'],
  [/Mountain Duck/i, 'Mountain Duck'],
  [/^Thunderbird\/|\bThunderbird\//, 'Thunderbird'],
  [/\biOS\/.*(dataaccessd|accountsd|remindd)/, 'iOS'],
  [/\bmacOS\/.*(CalendarAgent|AddressBookCore|accountsd|remindd)/i, 'macOS'],
  [/^Evolution\//i, 'Evolution'],
  [/^Wget\//i, 'wget'],
  [/^python-requests\/|^aiohttp\/|^Python/i, 'Python'],
];

const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Headless)?Chrom(e|ium)\/|\bCriOS\//, 'Chrome'],
  [/\bVersion\/.*Safari\//, 'Safari'],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
];

/** A browser and the system it runs on, as far as its User-Agent tells; null for what is none. */
export interface BrowserName {
  readonly browser: string;
  readonly system: string | null;
}

/** What people call the program behind a User-Agent; its first word where it is unknown. */
export function clientName(userAgent: string): string {
  const known = first(programs, userAgent);
  if (known !== null) return known;
  const browser = browserName(userAgent);
  if (browser !== null)
    return browser.system === null ? browser.browser : `${browser.browser} · ${browser.system}`;
  const word = userAgent.trim().split(/[\s/;(]/)[0] ?? '';
  return word === '' ? userAgent.trim().slice(0, 40) : word.slice(0, 40);
}

/** See `BrowserName`. */
export function browserName(userAgent: string): BrowserName | null {
  const browser = first(browsers, userAgent);
  return browser === null ? null : { browser, system: first(systems, userAgent) };
}

function first(table: readonly (readonly [RegExp, string])[], text: string): string | null {
  return table.find(([sign]) => sign.test(text))?.[1] ?? null;
}

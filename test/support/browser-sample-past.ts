import { personPassword } from './portal.ts';

/** One token and what became of it. */
export interface SampleToken {
  readonly name: string;
  readonly owner: string;
  readonly madeDaysAgo: number;
  readonly scopes: readonly string[];
  /** Counted from today; left out: no end. */
  readonly endsInDays?: number;
  readonly slidingDays?: number;
  /** What has ended or is revoked before it is written, seconds later, stays unused. */
  readonly usedHoursAgo?: number;
  readonly client?: string;
  readonly from?: string;
  readonly shut?: 'disable' | 'revoke';
}

/** Address of a house. */
export const home = '203.0.113.24';
/** Address of a telephone. */
const mobile = '198.51.100.7';
const files = (folder: string, access: string): readonly string[] => [`path:/dav/${folder}/:${access}`];
const rclone = 'rclone/v1.71.0';
const davx5 = 'DAVx5/4.5.3-ose (dav4jvm; okhttp/5.1.0) Android/16';
const mirall =
  'Mozilla/5.0 (Linux) mirall/3.17.1git (Nextcloud, debian-6.12 ClientArchitecture: x86_64 OsArchitecture: x86_64)';

/** Tokens in every state. */
export const sampleTokens: readonly SampleToken[] = [
  {
    name: 'Old tablet',
    owner: 'lena',
    madeDaysAgo: 96,
    scopes: [...files('Photos', 'rw'), ...files('Documents', 'r')],
    endsInDays: -6,
  },
  {
    name: 'Photo frame',
    owner: 'lena',
    madeDaysAgo: 87,
    scopes: files('Photos', 'r'),
    endsInDays: 3,
    usedHoursAgo: 26,
    client: 'python-requests/2.32.4',
    from: home,
  },
  {
    name: 'Lost phone',
    owner: 'lena',
    madeDaysAgo: 71,
    scopes: ['*'],
    endsInDays: 294,
    shut: 'revoke',
  },
  {
    name: 'Scanner in the hall',
    owner: 'lena',
    madeDaysAgo: 58,
    scopes: files('Documents/Inbox', 'rw'),
    usedHoursAgo: 12 * 24,
    client: 'curl/8.14.1',
    from: home,
    shut: 'disable',
  },
  {
    name: 'Laptop backup',
    owner: 'lena',
    madeDaysAgo: 21,
    scopes: files('Backup', 'rw'),
    slidingDays: 30,
    usedHoursAgo: 1,
    client: rclone,
    from: home,
  },
  {
    name: 'Phone: calendar and contacts',
    owner: 'lena',
    madeDaysAgo: 33,
    scopes: ['route:calendar:rw'],
    endsInDays: 332,
    usedHoursAgo: 5,
    client: davx5,
    from: mobile,
  },
  {
    name: 'Desktop sync',
    owner: 'lena',
    madeDaysAgo: 12,
    scopes: ['*'],
    endsInDays: 78,
    usedHoursAgo: 0,
    client: mirall,
    from: home,
  },
  {
    name: 'Tax adviser',
    owner: 'lena',
    madeDaysAgo: 4,
    scopes: files('Documents/Taxes', 'r'),
    endsInDays: 26,
  },
  {
    name: 'Nightly export',
    owner: 'jonas',
    madeDaysAgo: 11,
    scopes: files('Reports', 'rw'),
    slidingDays: 14,
    usedHoursAgo: 9,
    client: 'curl/8.14.1',
    from: '192.0.2.40',
  },
  {
    name: 'Tablet in the kitchen',
    owner: 'amira',
    madeDaysAgo: 22,
    scopes: ['route:calendar:r'],
    endsInDays: 68,
    usedHoursAgo: 30,
    client: davx5,
    from: mobile,
  },
];

/** Everybody but the one who manages the site, as the API takes them. */
export const samplePeople: readonly ({ readonly name: string } & Readonly<Record<string, string>>)[] = [
  {
    name: 'lena',
    displayName: 'Lena Hartmann',
    email: 'lena.hartmann@example.org',
    password: personPassword,
  },
  { name: 'jonas', displayName: 'Jonas Brandt', email: 'jonas.brandt@example.org' },
  { name: 'amira', displayName: 'Amira Haddad', email: 'amira.haddad@example.org' },
  { name: 'backup', displayName: 'Backup server', role: 'user' },
  { name: 'tomasz', displayName: 'Tomasz Nowak', email: 'tomasz.nowak@example.org' },
];

/** Where lena is signed in: hours ago, with which browser, from where. */
export const sampleBrowsers: readonly (readonly [hoursAgo: number, userAgent: string, from: string])[] = [
  [
    8,
    'Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1',
    mobile,
  ],
  [3, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0', home],
];

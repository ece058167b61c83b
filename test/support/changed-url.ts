import fc from 'fast-check';

/** A URL and what is done to it, in turn; few changes to something real come further than noise. */
interface Change {
  readonly kind: keyof typeof changes;
  readonly at: number;
  readonly pick: number;
}

const segments = [
  ...'dav files alice bob Photos photos PHOTOS Photosx Secret Inbox 2024 x a.jpg new notes.txt'.split(' '),
  ...'.. . ... % %25 %2e %2e%2e .%2E %252e%252e %2f %5c ..%2f ..%5c.. %2e%2e%2fSecret ..; ..;x'.split(' '),
  ...'; ;x Photos;x %3b %3f %23 %20 ..%20 .%20 Photos%20 Photos. Photos%2e %c0%ae%c0%ae %c0%af'.split(' '),
  ...'%e0%80%af %ff %ed%a0%80 %E2%80%A5 %EF%BC%8E%EF%BC%8E %EF%BC%8F %EF%BC%BC %E2%81%84'.split(' '),
  ...'%E2%88%95 %E2%80%8B %C2%AD %EF%BB%BF %00 x%00 %0d%0a %09 %7f %u002e %u2215'.split(' '),
  ...'%C3%9Crlaub%20100%25 U%CC%88rlaub%20100%25 %DCrlaub ~ ~alice Secret::$DATA SECRET~1 CON *'.split(' '),
  ...'$ | {user} {node} \\ ..\\.. ? # @ : C: `id` .DAV .htaccess index.html %2500 %25%32%65'.split(' '),
  ...'%%32%65 %2%65 %zz %E2%84%80 %EF%BC%85%32%65'.split(' '),
  ...['', ' ', '.. '],
];

const starts = [
  ...'http://gw.example HTTP://GW.example https://gw.example http://gw.example:80'.split(' '),
  ...'http://gw.example: http://gw.example:8080 http://gw.example. http://evil.example'.split(' '),
  ...'//gw.example /// /\\gw.example http://a@gw.example http://gw.example@evil.example'.split(' '),
  ...'http://evil.example#@gw.example http:/ http: http://gw.example\\@evil.example http://[::1]'.split(' '),
  ...'file:// dav://gw.example http://gw.example:080 http://%67w.example'.split(' '),
  ...'http://gw.example%2f@evil.example http:///gw.example http://gw.example?x'.split(' '),
  ...['', ' '],
];

const ends = [...'/ // /. /.. ? ?x=/../Secret # #/.. %20 . ; ;x=.. %00 * \\'.split(' '), ...['', ' ']];

const percent = (code: number, upper: boolean): string => {
  const hex = code.toString(16).padStart(2, '0');
  return `%${upper ? hex.toUpperCase() : hex}`;
};

const pickOf = <T>(list: readonly T[], pick: number): T => list[pick % list.length] as T;

/** Applies `change` to one segment of the path. */
function inSegment(url: string, at: number, change: (segment: string) => string): string {
  const parts = url.split('/');
  const place = at % parts.length;
  return parts.with(place, change(parts[place] as string)).join('/');
}

/** Applies `change` to one character. */
function inCharacter(url: string, at: number, change: (character: string) => string): string {
  if (url === '') return url;
  const place = at % url.length;
  return url.slice(0, place) + change(url[place] as string) + url.slice(place + 1);
}

const changes = {
  replaceSegment: (url: string, at: number, pick: number) => inSegment(url, at, () => pickOf(segments, pick)),
  insertSegment: (url: string, at: number, pick: number) =>
    inSegment(url, at, (segment) => `${pickOf(segments, pick)}/${segment}`),
  appendSegment: (url: string, _at: number, pick: number) => `${url}/${pickOf(segments, pick)}`,
  climb: (url: string, at: number, pick: number) =>
    `${url}/${pickOf(['..', '%2e%2e', '..%20', '..;', '%252e%252e', '..%5c', '.%2e'], at)}/${pickOf(segments, pick)}`,
  glueSegment: (url: string, at: number, pick: number) =>
    inSegment(url, at, (segment) => segment + pickOf(segments, pick)),
  dropSegment: (url: string, at: number) => {
    const parts = url.split('/');
    return parts.toSpliced(at % parts.length, 1).join('/');
  },
  encode: (url: string, at: number, pick: number) =>
    inCharacter(url, at, (character) => percent(character.charCodeAt(0) & 0xff, pick % 2 === 0)),
  encodeTwice: (url: string, at: number, pick: number) =>
    inCharacter(
      url,
      at,
      (character) => `%25${percent(character.charCodeAt(0) & 0xff, pick % 2 === 0).slice(1)}`,
    ),
  encodeAll: (url: string, at: number, pick: number) =>
    inSegment(url, at, (segment) =>
      Array.from(segment, (character) => percent(character.charCodeAt(0) & 0xff, pick % 2 === 0)).join(''),
    ),
  overlong: (url: string, at: number) =>
    inCharacter(url, at, (character) => {
      const code = character.charCodeAt(0) & 0x7f;
      return percent(0xc0 | (code >> 6), false) + percent(0x80 | (code & 0x3f), false);
    }),
  fullWidth: (url: string, at: number) =>
    inCharacter(url, at, (character) => {
      const code = character.charCodeAt(0);
      return code > 0x20 && code < 0x7f ? encodeURIComponent(String.fromCharCode(code + 0xfee0)) : character;
    }),
  rawByte: (url: string, at: number, pick: number) =>
    inCharacter(url, at, (character) => character + percent(pick % 256, true)),
  otherCase: (url: string, at: number) =>
    inCharacter(url, at, (character) =>
      character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase(),
    ),
  end: (url: string, _at: number, pick: number) => url + pickOf(ends, pick),
  start: (url: string, _at: number, pick: number) => pickOf(starts, pick) + url,
  pad: (url: string, at: number, pick: number) =>
    inSegment(url, at, (segment) => segment + pickOf(['x', '%20', '.', '%2e'], pick).repeat(pick % 300)),
} satisfies Readonly<Record<string, (url: string, at: number, pick: number) => string>>;

/** Changes that leave many URLs acceptable come more often: what is refused at once tests nothing further on. */
const kinds: readonly (keyof typeof changes)[] = [
  ...(Object.keys(changes) as (keyof typeof changes)[]),
  ...(['encode', 'encode', 'encodeAll', 'otherCase', 'glueSegment', 'rawByte', 'end', 'pad'] as const),
];

const oneChange: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat(60),
  pick: fc.nat(10_000),
});

/** One of `urls`, as it is or changed in up to four places. */
export function changedUrl(urls: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom(...urls),
      fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 4, arbitrary: fc.array(oneChange, { minLength: 1, maxLength: 1 }) },
        { weight: 3, arbitrary: fc.array(oneChange, { minLength: 2, maxLength: 4 }) },
      ),
    )
    .map(([url, list]) =>
      list.reduce((changed, { kind, at, pick }) => changes[kind](changed, at, pick), url).slice(0, 9_000),
    );
}

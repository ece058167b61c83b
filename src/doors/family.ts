/** The fields by which one kind of proxy tells of the request that it asks about. */
export interface Family {
  /** What it says, or a sentence on what is wrong: a name, never a value. */
  read(rawHeaders: readonly string[]): Told | string;
}

/** What a proxy has told. */
export interface Told {
  /** One value for each field of the family, in the order given; null where an optional one is missing. */
  readonly values: readonly (string | null)[];
  /** The client's own fields, flat. */
  readonly own: string[];
}

/** The fields of a family, lower case. */
export interface FamilyFields {
  /** Must stand exactly once. */
  readonly required: readonly string[];
  /** May stand once. */
  readonly optional?: readonly string[];
  /** Of this hop, or the proxy's own additions: neither told nor the client's. */
  readonly ignored?: readonly string[];
}

/** Of the connection between the proxy and us (RFC 9110 section 7.6.1), and of a body that stays with the proxy. */
const ofThisHop = ['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'keep-alive'];
const ignored = -1;
const own = -2;
/** Spellings remembered; hostile ones push out no more than this. */
const spellingsMax = 512;
const spellingLengthMax = 64;

/** Prepares the reader of a family. Names compare without regard to case and in no other spelling. */
export function createFamily({ required, optional = [], ignored: more = [] }: FamilyFields): Family {
  const names = [...required, ...optional];
  const places = new Map<string, number>([...ofThisHop, ...more].map((name) => [name, ignored]));
  for (const [place, name] of names.entries()) places.set(name, place);
  const spellings = new Map<string, number>();
  const placeOf = (name: string): number => {
    const known = spellings.get(name);
    if (known !== undefined) return known;
    const place = places.get(name.toLowerCase()) ?? own;
    if (spellings.size >= spellingsMax) spellings.clear();
    if (name.length <= spellingLengthMax) spellings.set(name, place);
    return place;
  };
  const nothing: readonly null[] = names.map(() => null);
  return {
    read(rawHeaders) {
      const values: (string | null)[] = nothing.slice();
      const rest: string[] = [];
      for (let at = 0; at < rawHeaders.length; at += 2) {
        const name = rawHeaders[at] as string;
        const place = placeOf(name);
        if (place === own) rest.push(name, rawHeaders[at + 1] as string);
        else if (place !== ignored) {
          if (values[place] !== null) return `${names[place]} stands twice`;
          values[place] = rawHeaders[at + 1] as string;
        }
      }
      for (let place = 0; place < required.length; place++) {
        if (values[place] === null || values[place] === '') return `${names[place]} is missing`;
      }
      return { values, own: rest };
    },
  };
}

declare const brand: unique symbol;

/** A string that only the owning module may make: the brand exists for the type checker alone. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Identifies a token for its whole life, regeneration included. UUID v7 text. */
export type TokenId = Branded<'TokenId'>;
/** Identifies a user for ever, renames included. UUID v7 text. */
export type UserId = Branded<'UserId'>;
/** HMAC-SHA-256 of a token under one pepper, base64url. The only form in which a token is kept. */
export type TokenDigest = Branded<'TokenDigest'>;
/** Names the pepper that made a digest. */
export type PepperId = Branded<'PepperId'>;
/** Identifies one store: caches shared by several stores are kept apart by it. UUID text. */
export type Realm = Branded<'Realm'>;
/** Identifies a browser session; says nothing about its secret. UUID v7 text. */
export type SessionId = Branded<'SessionId'>;
/** Identifies an admin key; says nothing about its value. UUID v7 text. */
export type AdminKeyId = Branded<'AdminKeyId'>;
/** SHA-256 of a random secret of 256 bits (session, admin key, one-time link), base64url: the only form in which it is kept. */
export type SecretDigest = Branded<'SecretDigest'>;

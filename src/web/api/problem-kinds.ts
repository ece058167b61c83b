import type { Refused } from '../../management/refused.ts';
import type { SignInRefusal } from '../../management/sign-in.ts';

/** Problems that the API itself finds, before anybody's rules are asked. */
type OwnCode =
  | 'malformed_body'
  | 'malformed_credential'
  | 'two_credentials'
  | 'bad_parameters'
  | 'bad_fields'
  | 'bad_key'
  | 'bad_precondition'
  | 'unauthenticated'
  | 'foreign_request'
  | 'form_expired'
  | 'method_refused'
  | 'request_running'
  | 'key_reused'
  | 'body_too_large'
  | 'unsupported_type'
  | 'precondition_needed'
  | 'too_many_failures';

/** Every expected no of the API, by the name that clients may rely on. */
export type ProblemCode = OwnCode | Refused['code'] | SignInRefusal['code'];

/** What is the same for every problem of one code. */
export interface ProblemKind {
  /** RFC 9110 status. */
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 428 | 429;
  readonly title: string;
  /** What it means and what to do, for people who read the documentation; the answer's own sentence where none is given. */
  readonly detail: string;
  /** True where the sentence of the refusal goes out instead: it says more and holds nothing of the request. */
  readonly speaksForItself?: true;
  /** The field of the body that it is about. */
  readonly pointer?: string;
}

/** The one table from problem to HTTP; the documentation is made from it too. */
export const problemKinds: Readonly<Record<ProblemCode, ProblemKind>> = {
  malformed_body: { status: 400, title: 'Malformed body', detail: 'The body is not JSON in UTF-8.' },
  malformed_credential: {
    status: 400,
    title: 'Malformed credential',
    detail: 'The Authorization header does not follow its scheme.',
  },
  two_credentials: {
    status: 400,
    title: 'Two credentials',
    detail: 'Send either an Authorization header or a session cookie.',
  },
  bad_parameters: {
    status: 400,
    title: 'Bad parameters',
    detail: 'Some query parameters cannot be understood; "errors" names each of them.',
  },
  bad_request: {
    status: 400,
    title: 'Bad request',
    detail: 'The request contradicts itself or cannot be understood.',
    speaksForItself: true,
  },
  bad_key: {
    status: 400,
    title: 'Bad Idempotency-Key',
    detail: 'An Idempotency-Key has 16 to 255 printable ASCII characters; a random UUID is a good one.',
  },
  bad_precondition: {
    status: 400,
    title: 'Bad precondition',
    detail: 'If-Match takes * or one ETag of this resource, and only where it is documented.',
  },
  unauthenticated: {
    status: 401,
    title: 'Credential needed',
    detail: 'Send an admin key as "Authorization: Bearer …", or come with the cookie of a signed-in browser.',
  },
  confirmation_needed: {
    status: 403,
    title: 'Confirmation needed',
    detail: 'The person has to confirm first: POST /v1/session/confirm, or sign in again at the provider.',
  },
  not_allowed: {
    status: 403,
    title: 'Not allowed',
    detail: 'The role of this person, or the scopes of this key, do not reach that far.',
    speaksForItself: true,
  },
  foreign_request: {
    status: 403,
    title: 'Request from elsewhere',
    detail: 'A browser says that a page of another site made the request.',
  },
  form_expired: {
    status: 403,
    title: 'No CSRF token',
    detail: 'A session changes things only with its X-CSRF-Token, which GET /v1/session tells.',
  },
  sign_in_refused: { status: 403, title: 'Not confirmed', detail: 'The password is not right.' },
  wrong_password: {
    status: 403,
    title: 'Wrong password',
    detail: 'The current password is not right.',
    pointer: '/current',
  },
  link_used: { status: 403, title: 'Link used', detail: 'The link has been used, or has expired.' },
  not_found: { status: 404, title: 'Not found', detail: 'There is no such thing, or it is somebody else’s.' },
  no_token: { status: 404, title: 'Not found', detail: 'There is no such token.' },
  no_user: { status: 404, title: 'Not found', detail: 'There is no such user.' },
  method_refused: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This resource does not know that method; Allow names those that it does.',
  },
  conflict: {
    status: 409,
    title: 'Conflict',
    detail: 'It contradicts what there is.',
    speaksForItself: true,
  },
  last_admin: {
    status: 409,
    title: 'Last admin',
    detail: 'Nobody would be left who can sign in and manage others: make another admin first.',
  },
  elsewhere: {
    status: 409,
    title: 'Kept elsewhere',
    detail: 'This user comes from another source: change name, mail and password there.',
  },
  name_taken: {
    status: 409,
    title: 'Name taken',
    detail: 'There is a user of this name already; names that differ in case alone are one.',
    pointer: '/name',
  },
  revoked: { status: 409, title: 'Revoked', detail: 'The token is revoked: make a new one.' },
  expired: {
    status: 409,
    title: 'Expired',
    detail: 'The token has passed its end: give it a new one.',
    speaksForItself: true,
  },
  owner_gone: {
    status: 409,
    title: 'Owner shut out',
    detail: 'The owner of the token is shut out or removed.',
  },
  request_running: {
    status: 409,
    title: 'Still running',
    detail: 'A request with this Idempotency-Key is still running, or was cut short: ask again shortly.',
  },
  stale: {
    status: 412,
    title: 'Changed meanwhile',
    detail: 'It has changed since it was read: read it again, then decide anew.',
  },
  body_too_large: { status: 413, title: 'Body too large', detail: 'A body has at most 64 KiB.' },
  unsupported_type: {
    status: 415,
    title: 'Unsupported type',
    detail: 'Send the body as Content-Type: application/json.',
  },
  bad_fields: {
    status: 422,
    title: 'Bad fields',
    detail: 'Some fields cannot be taken as they are; "errors" names each of them.',
  },
  bad_name: {
    status: 422,
    title: 'Bad name',
    detail: 'The name cannot be used: too long, not printable, or holding the value of a token.',
    pointer: '/name',
  },
  bad_display_name: {
    status: 422,
    title: 'Bad display name',
    detail: 'The display name cannot be used: too long, or not printable.',
    pointer: '/displayName',
  },
  bad_email: {
    status: 422,
    title: 'Bad mail address',
    detail: 'The mail address cannot be used.',
    pointer: '/email',
  },
  bad_password: {
    status: 422,
    title: 'Bad password',
    detail: 'The password cannot be used.',
    speaksForItself: true,
    pointer: '/password',
  },
  bad_scope: {
    status: 422,
    title: 'Bad scope',
    detail: 'A scope cannot be used for this owner: write its folder out instead of {user}.',
    pointer: '/scopes',
  },
  bad_expiry: {
    status: 422,
    title: 'Bad expiry',
    detail: 'The end of the token cannot be that one.',
    speaksForItself: true,
    pointer: '/expiresAt',
  },
  bad_not_before: {
    status: 422,
    title: 'Bad start',
    detail: 'The token cannot start then.',
    speaksForItself: true,
    pointer: '/notBefore',
  },
  bad_network: {
    status: 422,
    title: 'Bad network',
    detail: 'A network is an address or a CIDR block.',
    pointer: '/networks',
  },
  bad_delete_unused: {
    status: 422,
    title: 'Bad time unused',
    detail: 'Deleting when unused waits at least an hour.',
    speaksForItself: true,
    pointer: '/deleteUnusedSeconds',
  },
  policy: {
    status: 422,
    title: 'Against the policy',
    detail: 'What everybody’s tokens are held to forbids it; GET /v1/session shows the policy.',
    speaksForItself: true,
  },
  key_reused: {
    status: 422,
    title: 'Idempotency-Key used otherwise',
    detail: 'This Idempotency-Key came with another request before: take a new one.',
  },
  precondition_needed: {
    status: 428,
    title: 'Precondition needed',
    detail: 'Send the ETag of what you read as If-Match.',
  },
  throttled: {
    status: 429,
    title: 'Too many attempts',
    detail: 'Too many wrong passwords: wait as long as Retry-After says.',
  },
  too_many_failures: {
    status: 429,
    title: 'Too many attempts',
    detail: 'Too many wrong credentials came from here or for this user; wait before trying another.',
  },
};

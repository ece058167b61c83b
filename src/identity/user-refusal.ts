/** An expected no, with a sentence that says what to do instead. */
export interface UserRefusal {
  readonly kind: 'refused';
  readonly code:
    | 'bad_name'
    | 'bad_display_name'
    | 'bad_email'
    | 'bad_password'
    | 'name_taken'
    | 'no_user'
    /** Its source decides that, not we. */
    | 'elsewhere'
    /** It has changed since it was read (RFC 9110 section 13.1.1). */
    | 'stale'
    /** Nobody would be left who can sign in and manage others. */
    | 'last_admin';
  readonly detail: string;
}

/** Makes a refusal; the detail names the next step. */
export function refuseUser(code: UserRefusal['code'], detail: string): UserRefusal {
  return { kind: 'refused', code, detail };
}

/** A sign-in under way at a provider, as its sealed cookie keeps it. */
export interface PendingSignIn {
  readonly source: string;
  /** What the sign-in itself wants to see again. */
  readonly pending: string;
  /** Where the person goes afterwards. */
  readonly next: string;
  /** True where somebody signed in only proves to be there. */
  readonly isConfirming: boolean;
}

/** The text that the cookie keeps. */
export function pendingText({ source, pending, next, isConfirming }: PendingSignIn): string {
  return JSON.stringify([source, pending, next, isConfirming]);
}

/** Reads the text of `pendingText`, which nobody else can have written. */
export function readPending(text: string): PendingSignIn {
  const [source, pending, next, isConfirming] = JSON.parse(text) as readonly [
    string,
    string,
    string,
    boolean,
  ];
  return { source, pending, next, isConfirming };
}

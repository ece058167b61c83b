/** The sentences about one client: what to do one after the other, and what is good to know. */
export interface GuideTexts {
  readonly finder: Guide & { readonly note: string };
  readonly windows: Guide & { readonly command: string; readonly note: string; readonly needsHttps: string };
  readonly gnome: Guide & { readonly open: string };
  readonly rclone: { readonly title: string; readonly command: string; readonly note: string };
  readonly davfs2: {
    readonly title: string;
    readonly secrets: string;
    readonly mount: string;
    readonly note: string;
  };
  readonly curl: { readonly title: string; readonly command: string; readonly bearer: string };
  readonly davx5: Guide & { readonly note: string };
  readonly nextcloud: Guide & { readonly open: string };
  readonly other: Guide;
}

interface Guide {
  readonly title: string;
  readonly steps: readonly string[];
}

/** How to connect with each client, in English; commands and addresses stand beside these sentences. */
export const guidesEn: GuideTexts = {
  finder: {
    title: 'macOS Finder',
    steps: [
      'In Finder choose Go › Connect to Server (⌘K).',
      'Paste the server address and choose Connect.',
      'Choose Registered User, enter the user name, and the token as the password.',
      'Tick “Remember this password in my keychain”.',
    ],
    note: 'Where the server supports no locking, Finder mounts it read only.',
  },
  windows: {
    title: 'Windows',
    steps: [
      'In Explorer open This PC and choose Map network drive.',
      'Paste the server address as the folder and tick “Connect using different credentials”.',
      'Enter the user name, and the token as the password.',
    ],
    command: 'Or in a command prompt:',
    note: 'Windows wants HTTPS for this. It asks for the token again after signing out. On Windows Server install the feature “WebDAV Redirector” first.',
    needsHttps: 'This gateway is reached over plain HTTP just now: Windows will not send a password there.',
  },
  gnome: {
    title: 'GNOME Files',
    steps: [
      'In Files choose Other Locations and enter this address under Connect to Server:',
      'Enter the token as the password and choose to remember it.',
    ],
    open: 'Open in Files',
  },
  rclone: {
    title: 'rclone',
    command: 'One command sets it up:',
    note: 'Keep --obscure: without it rclone may take the token for an obscured password and fail. Then try: rclone lsd latchkey:',
  },
  davfs2: {
    title: 'davfs2',
    secrets: 'This line goes into ~/.davfs2/secrets, which must be readable by you alone (chmod 600):',
    mount: 'Then mount:',
    note: 'Where the server supports no locking, set use_locks 0 in davfs2.conf.',
  },
  curl: {
    title: 'curl and scripts',
    command: 'A first test, which lists the folder:',
    bearer: 'Or with the token alone, as a bearer token:',
  },
  davx5: {
    title: 'DAVx⁵ (Android)',
    steps: [
      'Add an account and choose “Login with URL and user name”.',
      'Enter the server address as the base URL, the user name, and the token as the password.',
      'For files choose Tools › WebDAV mounts › Add mount and enter the same.',
    ],
    note: 'Uploads of mounts come in pieces of unknown length: some servers refuse them.',
  },
  nextcloud: {
    title: 'Nextcloud apps',
    steps: [
      'Only where the server behind this address is a Nextcloud.',
      'On the phone open this link, or enter address, user name and token at sign-in:',
    ],
    open: 'Open in the Nextcloud app',
  },
  other: {
    title: 'Any other app',
    steps: [
      'Look for WebDAV, CalDAV or CardDAV, or for “server address”.',
      'Enter the server address, the user name, and the token as the password.',
    ],
  },
};

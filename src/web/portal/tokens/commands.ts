/** What an app needs to connect. */
export interface Credentials {
  readonly url: string;
  readonly userName: string;
  readonly token: string;
}

/** Sets up a remote of rclone; `--obscure`, since rclone takes some tokens for obscured passwords otherwise. */
export function rcloneCommand({ url, userName, token }: Credentials): string {
  const options = [`url=${url}`, 'vendor=other', `user=${userName}`, `pass=${token}`].map(shellQuote);
  return `rclone config create latchkey webdav ${options.join(' ')} --obscure`;
}

/** Lists the folder, with user name and token. */
export function curlCommand({ url, userName, token }: Credentials): string {
  return `curl -u ${shellQuote(`${userName}:${token}`)} -X PROPFIND -H 'Depth: 1' ${shellQuote(url)}`;
}

/** The same with the token alone (RFC 6750 section 2.1). */
export function bearerCommand({ url, token }: Credentials): string {
  return `curl -H 'Authorization: Bearer ${token}' ${shellQuote(url)}`;
}

/** The line for davfs2's secrets file, where a quotation mark and a backslash take a backslash. */
export function davfsSecret({ url, userName, token }: Credentials): string {
  const quote = (text: string): string =>
    /^[\w.@:/%+-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, String.raw`\$&`)}"`;
  return `${quote(url)} ${quote(userName)} ${quote(token)}`;
}

/** Mounts by davfs2. */
export function davfsMount({ url }: Credentials): string {
  return `sudo mount -t davfs ${shellQuote(url)} /mnt`;
}

/** Connects a drive letter in a Windows command prompt. */
export function windowsCommand({ url, userName, token }: Credentials): string {
  return `net use * "${url}" /user:"${userName}" ${token}`;
}

/** The address as GNOME spells it. */
export function gnomeAddress({ url, userName }: Credentials): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol === 'https:' ? 'davs' : 'dav'}://${encodeURIComponent(userName)}@${host}${pathname}`;
}

/** The link by which the Nextcloud apps sign in on a phone. */
export function nextcloudLink({ url, userName, token }: Credentials): string {
  return `nc://login/user:${encodeURIComponent(userName)}&password:${encodeURIComponent(token)}&server:${encodeURIComponent(new URL(url).origin)}`;
}

/** One word of a POSIX shell. */
function shellQuote(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

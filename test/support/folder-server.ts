/** A real server of some kind whose folder is served at `/dav/`. */
export interface FolderServer {
  /** Origin, without a slash at its end. */
  readonly url: string;
  /** The folder it serves at `/dav/`. */
  readonly folder: string;
  stop(): Promise<void>;
}

import type { PepperId } from '../core/ids.ts';
import type { Row } from './row.ts';

/** Under this name `meta` keeps what only the secret of a pepper makes. */
export function proofName(id: PepperId): string {
  return `pepper:${id}`;
}

/** How the proofs that were found, rows of `meta`, stand to those of a gateway. */
export interface ProofsCompared {
  readonly missing: readonly PepperId[];
  /** Peppers whose secret is another one than that which the store has seen. */
  readonly different: readonly PepperId[];
}

/** Compares them; those of peppers that the gateway does not have are nothing to it. */
export function compareProofs(rows: readonly Row[], proofs: ReadonlyMap<PepperId, string>): ProofsCompared {
  const found = new Map(rows.map((row) => [String(row['name']), String(row['value'])]));
  const ids = [...proofs.keys()];
  return {
    missing: ids.filter((id) => !found.has(proofName(id))),
    different: ids.filter((id) => (found.get(proofName(id)) ?? proofs.get(id)) !== proofs.get(id)),
  };
}

/** The end of a sentence on a store that has seen another secret. */
export function anotherSecret(id: PepperId): string {
  return (
    `has seen another secret under the pepper "${id}", and by that of this gateway the tokens made with it would all be ` +
    'unknown: give every gateway the same. A new secret wants a new id, in front of the former in `peppers`.'
  );
}

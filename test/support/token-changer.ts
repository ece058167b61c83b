/** Makes tokens and revokes every other one as fast as it can, and tells of each once that call has returned. */
import { openTokenOffice } from './token-office.ts';

/** What has been done when it is told. */
export interface Told {
  readonly id: string;
  readonly secret: string;
  readonly revoked: boolean;
}

const office = await openTokenOffice(process.argv[2] ?? '', null);
process.on('disconnect', () => process.exit());
for (;;) {
  const [kept, dropped] = [await office.mint('alice'), await office.mint('alice')];
  process.send?.({ ...kept, revoked: false } satisfies Told);
  await office.revoke(dropped.id);
  process.send?.({ ...dropped, revoked: true } satisfies Told);
}

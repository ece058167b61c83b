/** Whether a store has its tables: 'older' ones are of an earlier version. */
export type TableState = 'new' | 'current' | 'older';

/** What is to become of them, as the end of a sentence. */
export const tableStates: Readonly<Record<TableState, string>> = {
  new: 'its tables will be made at the first start',
  current: 'its tables are up to date',
  older: 'its tables will be brought up to date at the next start',
};

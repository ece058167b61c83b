/** A row as a database hands it over, by column. Numbers are numbers, also those of 64 bits; truths are 0 and 1. */
export type Row = Readonly<Record<string, unknown>>;

/** Finds the audit events that have been kept long enough. */
export const auditByTime: string = 'CREATE INDEX audit_by_time ON audit (at)';

/**
 * How long an event waits in an inbox at most, whatever `inbox_ttl` says: what is long lies in the bucket for 120 days, and may have waited
 * for two weeks before.
 */
export const MOST_INBOX_TTL = "90d";

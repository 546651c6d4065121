export interface CampaignResult {
  /** What was done, and what was counted, in one line. */
  readonly said: string;
  /** Each promise that was broken; empty where all held. */
  readonly faults: readonly string[];
}

/**
 * A fault campaign: goes on with another round while `more()`, and at least for one. The tests run
 * it for a few rounds, `npm run campaign` for as long as is asked.
 */
export type Campaign = (more: () => boolean) => Promise<CampaignResult>;
